"""What the API server stores is what is in Git: nothing for Argo CD to find different, now or later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.eso_version import CREATE_OR_MERGE, EsoVersion
from arcan_gitops.overlay import build_overlays, read_apps, read_settings
from tests.deploy.repository import Repository
from tests.e2e.api_server import ApiServer
from tests.e2e.cluster import Cluster
from tests.e2e.kept_crds import ESO, install_kept_crds, install_missing_crds
from tests.e2e.programs import Programs
from tests.overlay.samples import SAMPLES
from tests.overlay.test_golden_overlays import CASES, GOLDEN
from tests.overlay.test_manifests import VERSIONS, on_version, without_create_or_merge

SERVERS = (
    (),
    ("own-ca", "monitoring", "policies/validating-admission-policy"),
    ("cert-manager", "policies/gatekeeper", "policies/kyverno"),
    ("own-ca", "openshift"),
)


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """One of ESO's."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def bare_api(programs: Programs, folder: Path, version: str) -> Iterator[ApiServer]:
    """An API server without an operator, and with the CRDs of one version of ESO."""
    place = folder / f"crds-{version}"
    place.mkdir()
    with ApiServer(programs, place) as api:
        install_kept_crds(api, place, ESO, version)
        yield api


@pytest.mark.parametrize("case", CASES)
def test_what_the_api_server_stores_is_what_is_in_git(
    bare_api: ApiServer, folder: Path, version: str, case: str
) -> None:
    for overlay in generated(case, version, folder / f"{case}-{version}"):
        assert_fixed_point(bare_api, overlay)


def generated(case: str, version: str, folder: Path) -> list[Path]:
    """The overlays of a golden case, for clusters with that ESO."""
    settings, apps = read_settings(GOLDEN / case), read_apps(GOLDEN / case)
    eso = EsoVersion.parse(version)
    if CREATE_OR_MERGE.missing_in(eso):
        apps = tuple(map(without_create_or_merge, apps))
    overlays = tuple(
        replace(overlay, settings=on_version(overlay.settings, eso))
        for overlay in settings.overlays(SAMPLES.environments())
    )
    for path, text in build_overlays(apps, replace(settings, declared=overlays), SAMPLES).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return sorted(folder.iterdir())


@pytest.mark.parametrize("components", SERVERS, ids=lambda names: "+".join(names) or "base")
def test_a_server_is_stored_as_it_is_in_git(
    cluster: Cluster,
    folder: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    components: tuple[str, ...],
) -> None:
    Repository(tmp_path).generated({"components": list(components)}, **{"esoVersion": "0.20.4"})
    overlay = tmp_path / "kustomize" / "overlays" / "prod"
    install_missing_crds(cluster.api, folder, overlay)
    request.addfinalizer(
        partial(cluster.api.delete, overlay)
    )  # a policy would refuse what other stories apply
    assert_fixed_point(cluster.api, overlay)


def test_what_argo_cd_gets_is_stored_as_it_is_in_git(cluster: Cluster, folder: Path, argocd: Path) -> None:
    """The two files that are applied by hand, and the app of apps that Argo CD finds by them."""
    by_hand = [argocd / "health.yaml", argocd / "root.yaml"]
    install_missing_crds(cluster.api, folder, *by_hand)
    assert_fixed_point(cluster.api, *by_hand)
    for child in sorted((argocd / "clusters").iterdir()):
        assert_fixed_point(cluster.api, child)


def assert_fixed_point(api: ApiServer, *paths: Path) -> None:
    """Apply them as they are, and look again."""
    api.make_namespaces_of(*paths)
    api.apply_from_git(*paths)
    api.assert_nothing_differs(*paths)
    # stricter than the diff: of a custom resource not a single field is added
    assert specs(api.stored(*paths)) == specs(api.manifests_of(*paths)), paths


def specs(items: list[dict[str, Any]]) -> dict[tuple[str, str, str], Any]:
    """(kind, namespace, name) -> `spec` of the custom resources: those of groups that are not Kubernetes's."""
    return {
        (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): item.get("spec")
        for item in items
        if "." in (group := item["apiVersion"].rpartition("/")[0]) and not group.endswith(".k8s.io")
    }
