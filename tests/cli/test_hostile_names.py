"""A name from the tree never begins a line of output as a command to a CI system, whatever prints it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from arcan_gitops.cli import main
from arcan_gitops.errors import ArcanError, SeveralErrors, printable, printable_lines
from tests.support.live_server import ARCAN, started
from tests.support.realm_files import RealmFiles

Lines = Callable[..., Sequence[str]]

COMMAND = "::error::forged"
NAMES = [
    f"x\n{COMMAND}",
    f"x\r{COMMAND}",
    f"x\u2028{COMMAND}",
    f"x\x85{COMMAND}",
    COMMAND,
    "x##[error]forged",
]
KEPT = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a, namespace: b}\n"
APP = "name: shop\nrealm: production\nnamespace: shop\ntoken: shop\nsecrets: [{name: env, keys: [URL]}]\n"
TOKENS = """\
version: 1
tokens:
- {id: AAAAAAAAAAAA, name: shop, policy: read-only, created: '2026-01-01T00:00:00Z', digest: 'sha256:DIGEST'}
""".replace("DIGEST", "a" * 64)
EXTERNAL_SECRET = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: "NAME", namespace: "NAME"}
spec:
  secretStoreRef: {name: "NAME", kind: SecretStore}
  target: {name: "NAME"}
  data: [{secretKey: "NAME", remoteRef: {key: "NAME", property: "NAME"}}]
"""

STORE = """\
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: "NAME", namespace: "NAME"}
spec: {provider: {webhook: {url: "http://NAME"}}}
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> RealmFiles:
    files = RealmFiles(tmp_path_factory.mktemp("template"))
    files.write("production", "prod", "URL: x\n")
    return files


@pytest.fixture(params=NAMES, ids=repr)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def repository(tmp_path: Path, template: RealmFiles, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(template.root, tmp_path / "realms")
    (tmp_path / "realms/production/tokens.yaml").write_text(TOKENS)
    (tmp_path / ".sops.yaml").write_text(f"creation_rules: [{{age: {template.recipient}}}]\n")
    (tmp_path / "kustomize/apps").mkdir(parents=True)
    (tmp_path / "kustomize/apps/shop.yaml").write_text(APP)
    (tmp_path / "kustomize/arcan.yaml").write_text("overlays:\n  prod: {environment: prod}\n")
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(template.identity_file))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Runs `arcan`, and returns all that it printed, in the lines of a CI log."""

    def run(*arguments: str, mentions: str = "forged") -> Sequence[str]:
        capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["arcan", *arguments])
            with pytest.raises(SystemExit):
                main()
        out, err = capsys.readouterr()
        assert "unexpected" not in err
        return harmless(out + err, mentions, arguments)

    return run


def harmless(printed: str, mentions: str, arguments: Sequence[str]) -> list[str]:
    """The lines of what was printed, none of which a CI system takes for a command of the name."""
    assert mentions in printed, f"{arguments} print no such name: the test shows nothing"
    found = printed.splitlines()
    found = [line for line in found if not re.match("::(error|warning) file=", line)]  # --format github
    forged = [line for line in found if line.lstrip().startswith("::") or "##[" in line]
    assert forged == [], arguments
    return found


def quoted(text: str) -> str:
    """The text inside double quotes of YAML."""
    return "".join(f"\\u{ord(c):04x}" if not c.isprintable() else c for c in text)


def test_files_that_have_no_place_in_a_realm(repository: Path, name: str, lines: Lines) -> None:
    (repository / "realms/production" / name).write_text("x")
    for command in ("check", "list", "verify", "recipients"):
        lines("realm", command)
    lines("generate", "overlays")
    command = [*ARCAN, "serve", "--data-dir", str(repository / "data"), "--port", "0"]
    log = repository / "server.log"
    with log.open("wb") as out, started(command, stdout=subprocess.DEVNULL, stderr=out) as server:
        while b"serving revision" not in log.read_bytes():
            assert server.poll() is None, log.read_text()
            time.sleep(0.05)
    harmless(log.read_text(), "forged", command)


def test_folders_beside_the_realms(repository: Path, name: str, lines: Lines) -> None:
    (repository / "realms" / name).mkdir()
    for command in ("check", "list", "verify", "recipients"):
        lines("realm", command)
    for command in (["generate", "overlays"], ["generate", "inventory"], ["bootstrap"], ["token", "list"]):
        lines(*command)


def test_a_folder_of_realms(repository: Path, name: str, lines: Lines) -> None:
    shutil.move(repository / "realms", repository / name)
    (repository / name / "production/stray").touch()
    for command in (["realm", "list"], ["realm", "verify"]):
        lines(*command, "--realms", name)
    lines("realm", "check", name)
    lines("realm", "create", "production", "--env", "dev", "--key", "A", "--generate", "--realms", name)


def test_keys_of_a_document(repository: Path, name: str, lines: Lines, template: RealmFiles) -> None:
    path = repository / "realms/production/prod.sops.yaml"
    template.replace(path, path.read_bytes().replace(b"URL:", f'"{quoted(name)}":'.encode()))
    lines("realm", "check")
    lines("realm", "verify")
    lines("secret", "list", "production", "--env", "prod")
    lines("secret", "get", "production", "--env", "prod", "OTHER", mentions="")
    lines("generate", "overlays")
    path.write_text(f'"{quoted(name)}": clear\n')
    lines("realm", "check", mentions="")


# JSON and SARIF are for programs: a line of them is no message
@pytest.mark.parametrize("style", ["text", "github"])
def test_files_and_names_of_manifests_to_lint(repository: Path, name: str, style: str, lines: Lines) -> None:
    command = ("lint", "manifests", "--format", style)
    (repository / "m").mkdir()
    (repository / "m/store.yaml").write_text(STORE.replace("NAME", quoted(name)))
    lines(*command, "m")
    (repository / f"{name}.yaml").write_text("a: [")
    lines(*command, f"{name}.yaml")
    lines(*command, f"{name}.yml")


@pytest.mark.parametrize("style", ["text", "junit"])
def test_files_and_names_of_manifests_to_validate(
    repository: Path, name: str, style: str, lines: Lines
) -> None:
    (repository / "m").mkdir()
    (repository / "m" / f"{name}.yaml").write_text(EXTERNAL_SECRET.replace("NAME", quoted(name)))
    (repository / "m" / "fields.yaml").write_text(f'{KEPT}"{quoted(name)}": x\n')
    command = ("validate", "--engine", "embedded", "--format", style)
    lines(*command, "m")
    (repository / f"{name}.yaml").write_text(KEPT)
    lines(*command, f"{name}.yaml")
    lines(*command, f"{name}.yml")


def test_names_of_manifests_to_simulate(repository: Path, name: str, lines: Lines) -> None:
    (repository / "m").mkdir()
    (repository / "m" / f"{name}.yaml").write_text(EXTERNAL_SECRET.replace("NAME", quoted(name)))
    lines("simulate", "-f", "m")
    lines("simulate", "-f", f"{name}.yaml")


def test_declarations_and_generated_files(repository: Path, name: str, lines: Lines) -> None:
    lines("generate", "overlays", mentions="wrote")
    overlay = repository / "kustomize/overlays/prod"
    generated = next(path for path in overlay.rglob("*.yaml") if "kind: ExternalSecret" in path.read_text())
    (generated.parent / f"{name}.yaml").write_text(generated.read_text())
    lines("generate", "overlays", "--check")
    lines("generate", "overlays")
    (generated.parent / f"{name}.yaml").write_text("foreign: file\n")
    lines("generate", "overlays")
    (repository / "kustomize/apps" / f"{name}.yaml").write_text(APP)
    lines("generate", "overlays")
    lines("sync", "--all")
    lines("bootstrap")


def test_fields_of_declarations_and_tokens(repository: Path, name: str, lines: Lines) -> None:
    (repository / "kustomize/apps/shop.yaml").write_text(f'{APP}"{quoted(name)}": x\n')
    lines("generate", "overlays")
    (repository / "kustomize/arcan.yaml").write_text(f'"{quoted(name)}": x\n')
    lines("generate", "overlays")
    (repository / "realms/production/tokens.yaml").write_text(f'version: 1\n"{quoted(name)}": x\n')
    lines("token", "list")
    lines("realm", "check")
    (repository / "realms/production/realm.yaml").write_text(f'"{quoted(name)}": x\n')
    lines("realm", "verify")


def test_arguments_that_a_shell_made_of_file_names(name: str, lines: Lines) -> None:
    lines("lint", "manifests", f"--{name}")
    lines("realm", "list", f"--{name}")
    lines(name)
    lines("validate", name)
    lines("schemas", "add", name)


def test_an_error_is_one_line_unless_it_says_otherwise() -> None:
    error = ArcanError(f"a\n{COMMAND}", hint=f"b\n{COMMAND}").located(f"c\n{COMMAND}")
    assert "\n" not in f"{error.message}{error.hint}{error}"
    lines = ArcanError(["a", COMMAND], hint=["b", COMMAND])
    assert (lines.message, lines.hint) == ("a\n\ufffd:error::forged", "b\n\ufffd:error::forged")
    several = SeveralErrors(f"s\n{COMMAND}", [error, ArcanError("x", hint=["one", "two"])])
    assert len(several.message.splitlines()) == 6


@pytest.mark.parametrize(
    "text", ["a: b", "a::b", "# [x]", "##", "#[", "a -> b", "héllo", "C:\\x", "2026-01-01T00:00:00Z"]
)
def test_what_does_no_harm_is_printed_as_it_is(text: str) -> None:
    assert printable(text) == printable_lines(text) == text
