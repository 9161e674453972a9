"""Every command finds the folders of its repository from a folder below the root, as git does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click
import pytest

from arcan_gitops.cli import arcan, main
from arcan_gitops.cli.root import at_root
from tests.support.realm_files import RealmFiles

APP = "name: shop\nrealm: production\nnamespace: shop\ntoken: shop\nsecrets: [{name: env, keys: [URL]}]\n"
SETTINGS = """\
overlays:
  prod: {environment: prod}
argocd: {repository: https://git.example.com/team/secrets.git}
"""
TOKENS = """\
version: 1
tokens:
- {id: AAAAAAAAAAAA, name: shop, policy: read-only, created: '2026-01-01T00:00:00Z', digest: 'sha256:DIGEST'}
- {id: BBBBBBBBBBBB, name: spare, policy: read-only, created: '2026-01-01T00:00:00Z', digest: 'sha256:DIGEST'}
""".replace("DIGEST", "a" * 64)
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""
SECRET_TARGET = ("production", "--env", "prod")

# what is typed in a folder below the root -> whether it succeeds there
COMMANDS = [
    ("token", "create", "--realm", "production", "--name", "new"),
    ("token", "list"),
    ("token", "rotate", "spare"),
    ("token", "revoke", "spare"),
    ("secret", "list", *SECRET_TARGET),
    ("secret", "get", *SECRET_TARGET, "URL"),
    ("secret", "generate", *SECRET_TARGET, "NEW"),
    ("secret", "rename", *SECRET_TARGET, "OTHER", "ANOTHER"),
    ("secret", "unset", *SECRET_TARGET, "OTHER"),
    ("realm", "list"),
    ("realm", "check"),
    ("realm", "recipients"),
    ("realm", "verify"),
    ("realm", "create", "production", "--env", "staging", "--key", "URL", "--generate"),
    ("realm", "updatekeys", "production"),
    ("realm", "rotate", "production"),
    ("generate", "overlays"),
    ("generate", "argocd"),
    ("generate", "inventory"),
    ("generate", "eso", "--realm", "production", "--env", "prod"),
    ("overlay", "add", "prod-2", "--env", "prod"),
    ("bootstrap", "prod"),
    ("bootstrap", "ca", "--format", "secret"),
    ("sync", "shop"),
    ("validate", "--engine", "embedded"),
    ("schemas", "list"),
]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose overlays are generated; the current folder is `docs/deep` in it."""
    files = RealmFiles(tmp_path)
    files.write("production", "prod", "URL: x\nOTHER: y\n")
    (files.root / "production/tokens.yaml").write_text(TOKENS)
    (tmp_path / ".sops.yaml").write_text(f"creation_rules: [{{age: {files.recipient}}}]\n")
    (tmp_path / "kustomize/apps").mkdir(parents=True)
    (tmp_path / "kustomize/apps/shop.yaml").write_text(APP)
    (tmp_path / "kustomize/arcan.yaml").write_text(SETTINGS)
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(files.identity_file))
    monkeypatch.chdir(tmp_path)
    assert status("generate", "overlays") == 0
    (tmp_path / "docs/deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "docs/deep")
    return tmp_path


def status(*arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["arcan", *arguments])
        with pytest.raises(SystemExit) as exit_:
            main()
    return int(exit_.value.code or 0)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.usefixtures("repository")
def test_a_command_works_in_a_folder_below_the_root(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(*arguments) == 0, capsys.readouterr().err
    assert os.listdir() == []


@pytest.mark.usefixtures("repository")
def test_a_server_finds_its_realms(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("serve", "--select", "prodution") == 1
    assert "did you mean 'production'? there are production/prod" in capsys.readouterr().err


def test_an_inventory_is_found(repository: Path) -> None:
    assert status("generate", "inventory") == 0
    assert status("generate", "app", "../../kustomize/apps/shop.yaml", "--output", "../../out") == 0
    assert (repository / "out/prod").is_dir()


def test_schemas_are_added_to_the_folder_of_the_repository(repository: Path) -> None:
    Path("crd.yaml").write_text(CRD)
    assert status("schemas", "add", "crd.yaml") == 0
    assert list((repository / "kustomize/schemas").rglob("*.json"))


def test_what_is_said_names_files_relative_to_the_current_folder(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "realms/production/prod.sops.yaml").write_text("URL: x\n")
    assert status("realm", "check") == 1
    assert capsys.readouterr().out.startswith("../../realms/production/prod.sops.yaml: ")


@pytest.mark.usefixtures("repository")
def test_a_folder_that_is_given_is_relative_to_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert status("realm", "list", "--realms", "realms") == 1
    assert status("realm", "list", "--realms", "../../realms") == 0
    assert status("generate", "overlays", "--check", "--kustomize-dir", "kustomize") == 1
    monkeypatch.setenv("ARCAN_REALMS", "realms")
    assert status("realm", "list") == 1


@pytest.mark.parametrize("below", ["realms", "realms/production", "kustomize/apps"])
def test_the_folders_of_the_repository_are_below_the_root_too(
    repository: Path, below: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / below)
    assert status("realm", "check") == 0
    assert status("generate", "overlays", "--check") == 0


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        elif command is not None:
            yield " ".join((*path, name)), command


def test_no_command_has_a_default_folder_of_its_own() -> None:
    own = {
        (name, str(parameter.default))
        for name, command in commands(arcan)
        for parameter in command.params
        if isinstance(parameter.type, click.Path)
        if isinstance(parameter.default, str | Path)
    }
    assert own == {("init", "."), ("serve", "/var/lib/arcan"), ("status", "/var/lib/arcan")}
    found = {
        name
        for name, command in commands(arcan)
        if any(isinstance(p.default, partial) and p.default.func is at_root for p in command.params)
    }
    assert {"realm list", "secret get", "import vault", "generate app", "bootstrap ca"} <= found


def layout(folder: Path, *files: str) -> None:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()


@pytest.mark.parametrize(
    "marks", [["kustomize/arcan.yaml"], ["realms/a/prod.sops.yaml"], [".sops.yaml", "realms/README.md"]]
)
def test_a_root_is_known_by(marks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout(tmp_path, *marks, "a/b/x")
    monkeypatch.chdir(tmp_path / "a/b")
    assert at_root("realms") == Path("../../realms")
    monkeypatch.chdir(tmp_path)
    assert at_root("realms") == Path("realms")


@pytest.mark.parametrize("marks", [["realms/x.json"], ["kustomize/kustomization.yaml"], [".sops.yaml"]])
def test_a_folder_that_is_called_so_elsewhere_is_no_root(
    marks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout(tmp_path, "kustomize/arcan.yaml", *(f"a/{mark}" for mark in marks), "a/b/x")
    monkeypatch.chdir(tmp_path / "a/b")
    assert at_root("realms") == Path("../../realms")


def test_a_realm_that_is_called_realms_makes_no_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout(tmp_path, "realms/realms/prod.sops.yaml")
    monkeypatch.chdir(tmp_path / "realms/realms")
    assert at_root("realms") == Path("../../realms")


def test_the_nearest_root_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout(tmp_path, "kustomize/arcan.yaml", "a/kustomize/arcan.yaml", "a/b/x")
    monkeypatch.chdir(tmp_path / "a/b")
    assert at_root("kustomize") == Path("../kustomize")


@pytest.mark.parametrize("git", [".git/HEAD", ".git"])
def test_the_search_ends_at_the_top_of_the_git_repository(
    git: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout(tmp_path, "kustomize/arcan.yaml", f"a/{git}", "a/b/x")
    monkeypatch.chdir(tmp_path / "a/b")
    assert at_root("realms") == Path("realms")


def test_the_files_of_another_owner_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout(tmp_path, "kustomize/arcan.yaml", "a/b/x")
    here = tmp_path / "a/b"
    monkeypatch.chdir(here)
    real = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = real(path, follow_symlinks=follow_symlinks)
        other = [*found[:4], found.st_uid + (path == tmp_path), *found[5:]]
        return os.stat_result(other)

    monkeypatch.setattr(Path, "stat", stat)
    assert at_root("realms") == Path("realms")


def test_a_current_folder_that_was_removed_is_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert at_root("realms") == Path("realms")
