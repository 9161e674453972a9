"""What is found under a path, and what Kustomize makes of it."""

import io
import shutil
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from arcan_gitops.errors import ArcanError
from arcan_gitops.validate.kustomize import KustomizeMissing
from arcan_gitops.validate.manifests import Manifest
from arcan_gitops.validate.results import Result, Status
from arcan_gitops.validate.sources import Overlay, PlainFile, Source, StandardInput, builder_of, discover
from arcan_gitops.validate.sources import read as read_with

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"

Write = Callable[[str, str], Path]


def read(sources: tuple[Source, ...]) -> list[Manifest | Result]:
    return read_with(sources, builder_of(sources))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture(params=["kustomize", "kubectl"])
def only(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A PATH that has one of the two programs, and nothing else."""
    name: str = request.param
    program = shutil.which(name)
    assert program is not None, f"{name} must be on PATH for this test"
    tools = tmp_path / ".tools"
    tools.mkdir()
    (tools / name).symlink_to(program)
    monkeypatch.setenv("PATH", str(tools))
    return name


def _message(directory: Path) -> str:
    (item,) = read((Overlay(directory),))
    assert isinstance(item, Result)
    assert item.status is Status.ERROR
    assert item.source == str(directory)
    assert "canary" not in item.message
    return item.message


def test_a_component_that_nothing_uses_is_not_built_by_itself(tmp_path: Path, write: Write) -> None:
    write("base/kustomization.yaml", "resources: [a.yaml]")
    write("base/a.yaml", CONFIG_MAP % "a")
    write("parts/kustomization.yaml", "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n")
    assert discover(tmp_path) == (Overlay(tmp_path / "base"),)


def test_a_kustomization_that_another_one_uses_is_not_built_by_itself(tmp_path: Path, write: Write) -> None:
    write("base/kustomization.yaml", "resources: [a.yaml]")
    write("base/a.yaml", CONFIG_MAP % "a")
    write("parts/kustomization.yml", "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n")
    write("overlays/prod/kustomization.yaml", "resources: [../../base]\ncomponents: [../../parts]\n")
    write("overlays/staging/Kustomization", "resources: [../../base/]\n")
    write("overlays/.old/kustomization.yaml", "resources: []")
    write("arcan.yaml", "not: a manifest")
    assert discover(tmp_path) == (Overlay(tmp_path / "overlays/prod"), Overlay(tmp_path / "overlays/staging"))


def test_kustomizations_that_use_each_other_are_all_built_so_that_the_cycle_shows(
    tmp_path: Path, write: Write
) -> None:
    write("a/kustomization.yaml", "resources: [../b]")
    write("b/kustomization.yaml", "resources: [../a]")
    assert discover(tmp_path) == (Overlay(tmp_path / "a"), Overlay(tmp_path / "b"))
    assert "a cycle of kustomizations" in _message(tmp_path / "a")


def test_a_directory_without_a_kustomization_is_its_manifests(tmp_path: Path, write: Write) -> None:
    files = [write(name, "") for name in ("a.yaml", "b/c.json", "b/d.yml")]
    write("README.md", "")
    write(".sops.yaml", "")
    assert discover(tmp_path) == tuple(PlainFile(path) for path in files)


def test_settings_from_which_no_overlay_is_generated_yet_are_no_manifests(
    tmp_path: Path, write: Write
) -> None:
    write("arcan.yaml", "server: {}")
    write("apps/shop.yaml", "name: shop")
    assert discover(tmp_path) == ()


def test_a_file_is_itself_and_a_kustomization_file_is_its_directory(tmp_path: Path, write: Write) -> None:
    assert discover(write("a.txt", "")) == (PlainFile(tmp_path / "a.txt"),)
    assert discover(write("kustomization.yaml", "")) == (Overlay(tmp_path),)


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArcanError, match="no such file or directory"):
        discover(tmp_path / "nope")


@pytest.mark.usefixtures("only")
def test_an_overlay_is_built_with_whichever_program_is_there(tmp_path: Path, write: Write) -> None:
    write("kustomization.yaml", "resources: [a.yaml]\nnamePrefix: prod-\n")
    write("a.yaml", CONFIG_MAP % "settings")
    (item,) = read((Overlay(tmp_path),))
    assert isinstance(item, Manifest)
    assert (item.source, item.kind, item.name) == (str(tmp_path), "ConfigMap", "prod-settings")


def test_without_either_program_an_overlay_is_an_error_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KustomizeMissing) as missing:
        read((Overlay(tmp_path),))
    assert "go install" in str(missing.value.hint)
    assert isinstance(read((PlainFile(write("a.yaml", CONFIG_MAP % "a")),))[0], Manifest)


@pytest.mark.usefixtures("only")
@pytest.mark.parametrize(
    ("kustomization", "manifests", "message"),
    [
        ("resources: [nope.yaml]", "", "no such file or directory: nope.yaml"),
        (
            "resources: [a.yaml]",
            CONFIG_MAP % "a" + "---\n" + CONFIG_MAP % "a",
            "given twice: ConfigMap.v1.[noGrp]/a",
        ),
        ("resources: [../../a.yaml]", "", "no such file or directory: "),
        ("resourcess: [a.yaml]", "", "unknown field 'resourcess' in a kustomization"),
        ("resources: 7", "", "'resources' in a kustomization has the wrong type"),
        ("", "", "the kustomization is empty"),
        ("resources: []", "", "builds to nothing"),
        (
            "resources: [a.yaml]",
            "kind: Secret\nstringData: {a: canary}\n",
            "an object without kind or name, in a.yaml",
        ),
        ("resources: [a.yaml]", "a: b: canary\n", "not readable as YAML: a.yaml"),
        (
            "resources: [a.yaml]",
            CONFIG_MAP % "a" + "data:\n  a: canary\n  a: canary2\n",
            "a key is given twice, in line 6",
        ),
        ("secretGenerator: [{name: a, literals: [canary]}]", "", "a literal of a generator is not KEY=VALUE"),
    ],
)
def test_what_kustomize_refuses_is_a_result_that_names_the_cause_and_quotes_no_value(
    tmp_path: Path, write: Write, kustomization: str, manifests: str, message: str
) -> None:
    write("overlay/kustomization.yaml", kustomization)
    write("overlay/a.yaml", manifests)
    assert message in _message(tmp_path / "overlay")


def test_a_failed_overlay_does_not_keep_the_others_from_being_read(tmp_path: Path, write: Write) -> None:
    write("a/kustomization.yaml", "resources: [nope.yaml]")
    write("b/kustomization.yaml", "resources: [b.yaml]")
    write("b/b.yaml", CONFIG_MAP % "b")
    first, second = read(discover(tmp_path))
    assert isinstance(first, Result)
    assert isinstance(second, Manifest)


def test_standard_input_is_read_as_a_file_is() -> None:
    (item,) = read((StandardInput(io.BytesIO((CONFIG_MAP % "a").encode())),))
    assert isinstance(item, Manifest)
    assert (item.source, item.name) == ("-", "a")


@pytest.mark.parametrize(
    "entry", ["{url}/x.yaml", "https://github.com/a/b//c?ref=v1", "git@host:a/b", "github.com/a/b"]
)
def test_a_remote_entry_is_refused_before_anything_is_fetched(
    tmp_path: Path, write: Write, entry: str
) -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(500)

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    entry = entry.format(url=f"http://127.0.0.1:{server.server_port}")
    write("base/kustomization.yaml", f"resources: ['{entry}']\n")
    write("overlay/kustomization.yaml", "resources: [../base]\n")
    assert "a remote entry: nothing is fetched" in _message(tmp_path / "overlay")
    server.shutdown()
    server.server_close()
    assert asked == []


@pytest.mark.usefixtures("only")
def test_a_generated_overlay_may_be_empty_and_another_may_not(tmp_path: Path, write: Write) -> None:
    """All of it is said to be gone, and Argo CD prunes by it."""
    header = "# Generated by 'arcan generate overlays' from apps/shop.yaml.\n"
    write("prod/kustomization.yaml", f"{header}resources: [shop, _platform]\n")
    write("prod/shop/kustomization.yaml", f"{header}namespace: shop\nresources: []\n")
    write("prod/_platform/kustomization.yaml", f"{header}resources: []\n")
    [result] = read(discover(tmp_path))
    assert isinstance(result, Result)
    assert (result.status, result.kind, result.message) == (Status.VALID, "Kustomization", "")
    write("prod/shop/kustomization.yaml", "resources: []\n")
    [result] = read(discover(tmp_path))
    assert isinstance(result, Result)
    assert result.message == "builds to nothing"
