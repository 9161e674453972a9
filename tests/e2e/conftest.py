"""One cluster for all stories, and logs that stay where one of them has failed."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.deploy import base_tree, component_tree
from tests.deploy.repository import Manifest, Repository
from tests.e2e.api_server import ApiServer
from tests.e2e.argo_cd import ArgoCd
from tests.e2e.argo_team import GIT_HOST, ArgoTeam
from tests.e2e.chart_host import ChartHost
from tests.e2e.cluster import Cluster
from tests.e2e.controller_manager import ControllerManager
from tests.e2e.git_host import GitHost
from tests.e2e.patient import VALUES, NewPatient, Patient, brought_up
from tests.e2e.platform_team import PlatformTeam
from tests.e2e.programs import Programs
from tests.e2e.real_operator import Operator
from tests.e2e.stores import EXCEPTIONS

Say = Callable[[str], None]
NewTeam = Callable[..., PlatformTeam]
NewArgoTeam = Callable[..., ArgoTeam]
Excepting = Callable[[str, str], Manifest]


def pytest_sessionstart() -> None:
    """SIGTERM ends the run as Ctrl-C does, so that no program outlives it."""

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    signal.signal(signal.SIGTERM, end)


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Say:
    """Prints a line of progress at once, whatever pytest captures."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def line(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n  {text}", end="", flush=True)

    return line


@pytest.fixture(scope="session")
def folder(request: pytest.FixtureRequest, say: Say) -> Iterator[Path]:
    """For all that the run writes; of a run that fails the logs are kept."""
    folder = Path(tempfile.mkdtemp(prefix="arcan-e2e-"))
    yield folder
    if request.session.testsfailed:
        shutil.rmtree(folder / "cluster", ignore_errors=True)
        say(f"the logs are kept in {folder}\n")
    else:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def programs() -> Programs:
    return Programs()


@pytest.fixture(scope="session")
def api(programs: Programs, folder: Path, say: Say) -> Iterator[ApiServer]:
    started = time.monotonic()
    with ApiServer(programs, folder) as api:
        say(f"etcd and kube-apiserver {api.get('/version')['gitVersion']}: started, {_since(started)}")
        yield api


@pytest.fixture(scope="session")
def cluster(programs: Programs, api: ApiServer, folder: Path, say: Say) -> Iterator[Cluster]:
    started = time.monotonic()
    api.install_crds([programs["crds"]])
    say(f"CustomResourceDefinitions of ESO: installed, {_since(started)}")
    started = time.monotonic()
    with Operator(programs, api, folder) as operator:
        say(f"External Secrets Operator: started, {_since(started)}\n")
        yield Cluster(api, operator)


def _since(started: float) -> str:
    return f"{time.monotonic() - started:.0f} s"


@pytest.fixture
def new_team(folder: Path, cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[NewTeam]:
    """Makes the platform team of a story, and stops its server in the end."""
    teams: list[PlatformTeam] = []

    def make(values: Mapping[str, str], **settings: Any) -> PlatformTeam:
        place = folder / f"{request.node.originalname}-{len(list(folder.iterdir()))}"
        place.mkdir()
        team = PlatformTeam(place, cluster, values, settings)
        teams.append(team)
        return team.__enter__()

    yield make
    for team in teams:
        team.__exit__()


@pytest.fixture
def new_patient(new_team: NewTeam) -> NewPatient:
    """Makes a namespace that is well, for the doctor to look at."""

    def make(namespace: str, **settings: Any) -> Patient:
        return brought_up(new_team(VALUES, **settings), namespace)

    return make


@pytest.fixture(scope="session")
def git_host(folder: Path) -> Iterator[GitHost]:
    with GitHost(folder, GIT_HOST, "127.0.0.10") as host:
        yield host


@pytest.fixture(scope="session")
def chart_host(programs: Programs, folder: Path) -> Iterator[ChartHost]:
    with ChartHost(folder, "127.0.0.11", programs["crds"], ["0.20.4"]) as host:
        yield host


@pytest.fixture(scope="session")
def argo_cd(
    programs: Programs, cluster: Cluster, git_host: GitHost, chart_host: ChartHost, folder: Path, say: Say
) -> Iterator[ArgoCd]:
    started = time.monotonic()
    cluster.api.install_crds([programs["argocd-crds"]])
    with (
        ControllerManager(programs, cluster.api, folder),
        ArgoCd(programs, cluster.api, folder, [git_host, chart_host]) as argo_cd,
    ):
        say(f"Argo CD: started, {_since(started)}\n")
        yield argo_cd


@pytest.fixture
def new_argo_team(
    folder: Path, cluster: Cluster, argo_cd: ArgoCd, git_host: GitHost, request: pytest.FixtureRequest
) -> Iterator[NewArgoTeam]:
    """Makes the platform team of a story; in the end its server stops, and Argo CD knows nothing of it."""
    teams: list[ArgoTeam] = []

    def make(
        values: Mapping[str, str],
        *,
        clusters: bool = False,
        deploy: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> ArgoTeam:
        place = folder / f"team-{len(list(folder.iterdir()))}"
        place.mkdir()
        team = ArgoTeam(place, cluster, argo_cd, git_host, values, settings, clusters=clusters, deploy=deploy)
        teams.append(team)
        team.__enter__()
        return team

    yield make
    for team in teams:
        team.__exit__()
    argo_cd.remove_all()


@pytest.fixture
def argocd(tmp_path: Path) -> Path:
    """kustomize/argocd/ of a repository with a server."""
    repository = Repository(tmp_path)
    repository.declare()
    settings = repository.kustomize / "arcan.yaml"
    url = "https://git.example.com/platform/secrets.git"
    settings.write_text(f"{settings.read_text()}argocd: {{repository: '{url}'}}\n")
    done = repository.generate()
    assert done.returncode == 0, done.stderr
    return repository.kustomize / "argocd"


@pytest.fixture(scope="module")
def kustomize(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base and the components, as they are written into a repository."""
    folder = tmp_path_factory.mktemp("kustomize")
    for name, tree in (("base", base_tree()), ("components", component_tree())):
        for path, text in tree.items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_text(text)
    return folder


@pytest.fixture
def excepting(tmp_path: Path) -> Excepting:
    """An object of the policy on stores, as it is generated with `EXCEPTIONS` in the settings."""
    repository = Repository(tmp_path / "excepting")

    def generate(engine: str, kind: str) -> Manifest:
        objects = repository.generated({"components": [f"policies/{engine}"], "policies": EXCEPTIONS})
        (found,) = [item for item in objects if item["kind"] == kind and "stores" in item["metadata"]["name"]]
        return found

    return generate
