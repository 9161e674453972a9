"""What the README says is so: every command runs, every route, code and setting is there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest

from arcan_gitops.bootstrap.refreshes import Refresh
from arcan_gitops.cli import arcan
from arcan_gitops.explanations import FILE
from arcan_gitops.names import Namespace, ObjectName
from arcan_gitops.overlay import App, Settings
from arcan_gitops.overlay.ca import EmbeddedCa
from arcan_gitops.realms import RealmSettings
from arcan_gitops.server.answers import STATUS
from arcan_gitops.server.routes import ROUTES
from arcan_gitops.validate.check import judge
from arcan_gitops.validate.embedded import Embedded
from arcan_gitops.validate.manifests import read_manifests
from arcan_gitops.validate.schemaset import SchemaSet, eso_versions
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE
from arcan_gitops.yamlio import read_documents
from tests.support.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PYTHON = Path(sys.executable).parent


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    context = click.Context(group)
    found: list[tuple[str, ...]] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found += commands(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]
    return found


@pytest.fixture
def sandbox(tmp_path: Path) -> dict[str, str]:
    """A PATH with arcan and an editor."""
    tools = tmp_path / "tools"
    tools.mkdir()
    scripts = {
        "editor": "#!/bin/sh\nprintf 'DATABASE_URL: postgresql://db\\nPORT: 5432\\n' > \"$1\"\n",
        "arcan": f"#!/bin/sh\nexec {sys.executable} -c 'from arcan_gitops.cli import main; main()' \"$@\"\n",
    }
    for name, text in scripts.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    return {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "EDITOR": str(tools / "editor"),
        "ARCAN_PORT": "0",
    }


def asks_for_a_value(line: str) -> bool:
    """Whether a person is asked for a value, twice."""
    return line.startswith(("arcan realm create ", "arcan secret set "))


def runs_an_editor(line: str) -> bool:
    return line.startswith("arcan secret edit ")


def run_at_a_terminal(line: str, folder: Path, environment: dict[str, str]) -> None:
    with Terminal(["bash", "-ec", line], folder, environment) as terminal:
        for _ in range(2 if asks_for_a_value(line) else 0):
            terminal.read_until(": ")
            terminal.type("postgresql://db\r")
        assert terminal.wait() == 0, f"{line}\n{terminal.shown}"


def test_the_commands_for_a_vm_run_as_they_stand(tmp_path: Path, sandbox: dict[str, str]) -> None:
    lines = [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()]
    assert len(lines) >= 20
    folder, server, printed = tmp_path, None, ""
    try:
        for line in lines:
            if "127.0.0.1:9797" in line:
                port = re.search(r"https://127\.0\.0\.1:(\d+)", (tmp_path / "log").read_text())
                assert port is not None
                line = line.replace("9797", port[1])  # noqa: PLW2901 - the default port may be taken here
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").partition("=")
                sandbox[name] = value
                continue
            if asks_for_a_value(line) or runs_an_editor(line):
                run_at_a_terminal(line, folder, sandbox)
                continue
            if line.startswith("arcan serve"):
                with (tmp_path / "log").open("w") as log:
                    server = subprocess.Popen(
                        ["bash", "-c", f"exec {line}"], cwd=folder, env=sandbox, stderr=log
                    )
                end = time.monotonic() + 20
                while "serving revision" not in (tmp_path / "log").read_text():
                    assert server.poll() is None, (tmp_path / "log").read_text()
                    assert time.monotonic() < end, "it never listens"
                    time.sleep(0.05)
                continue
            done = subprocess.run(
                ["bash", "-ec", line], cwd=folder, env=sandbox, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            printed += done.stdout
            if " && cd " in line:
                folder = folder / line.rsplit(" ", 1)[1]
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)
            server.wait(20)
    assert "2 of 2 ExternalSecrets would be synced" in printed


def test_the_commands_for_a_cluster_print_manifests_that_are_valid(
    tmp_path: Path, sandbox: dict[str, str]
) -> None:
    copy = tmp_path / "repository"
    subprocess.run(["cp", "-r", str(ROOT / "realms"), str(ROOT / "kustomize"), "--target-directory", "."], check=True,
                   cwd=copy.mkdir() or copy)  # fmt: skip
    validated = 0
    for line in (line for block in blocks("sh") for line in block.splitlines()):
        assert subprocess.run(["bash", "-n", "-c", line], check=False).returncode == 0
        words = shlex.split(line)
        assert words[0] in ("arcan", "bash", "git", "kubectl", "pip"), line
        if not line.endswith(" | kubectl apply -f -"):
            continue
        offline = line.replace("kubectl apply -f -", "arcan validate -")
        done = subprocess.run(
            ["bash", "-ec", f"set -o pipefail; {offline}"],
            cwd=copy,
            env=sandbox,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        validated += 1
    assert validated == 4


def judge_application(text: str) -> list[str]:
    manifests = read_manifests(text.encode(), "README")
    return [
        str(result.status.value) for result in judge(manifests, Embedded(), SchemaSet(eso_versions()[-1]))
    ]


def inline_commands() -> list[str]:
    """Every `arcan ...` in running text, in a hint of a table, or started by systemd."""
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.M | re.S)
    started = re.findall(r"^ExecStart=/usr/local/bin/(arcan .*)$", README, re.M)
    started += re.findall(r"^(arcan [^|\n]*)$", "".join(blocks("sh")), re.M)
    return [*started, *re.findall(r"`(arcan [^`]*)`", prose)]


@pytest.mark.parametrize("line", inline_commands())
def test_every_command_in_the_text_is_one(line: str) -> None:
    command: click.Command = arcan
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group) and words:
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None, line
        command = found
    command.make_parser(click.Context(command)).parse_args(words)  # raises for an unknown option


def printed_manifests(line: str, folder: Path, environment: dict[str, str]) -> list[Any]:
    """What the `arcan` of a line prints, for the kubectl behind its pipe."""
    done = subprocess.run(
        shlex.split(line.partition("|")[0]), cwd=folder, env=environment, capture_output=True, check=True
    )
    return read_documents(done.stdout, line)


def references(manifests: list[Any]) -> set[tuple[str, ...]]:
    """(kind, namespace, name, key) of what the stores read."""
    found = set()
    for manifest in manifests:
        if manifest["kind"] not in ("SecretStore", "ClusterSecretStore"):
            continue
        webhook, own = manifest["spec"]["provider"]["webhook"], manifest["metadata"].get("namespace", "")
        (ca, secrets) = webhook["caProvider"], [each["secretRef"] for each in webhook["secrets"]]
        for kind, ref in ((ca["type"], ca), *(("Secret", secret) for secret in secrets)):
            found.add((kind, ref.get("namespace", own), ref["name"], ref["key"]))
    return found


def test_what_kubectl_is_to_make_is_what_the_stores_read(tmp_path: Path, sandbox: dict[str, str]) -> None:
    copy = tmp_path / "repository"
    shutil.copytree(ROOT / "realms", copy / "realms")
    reads: set[tuple[str, ...]] = set()
    made: set[tuple[str, ...]] = set()
    for line in (line for block in blocks("sh") for line in block.splitlines()):
        words, options = shlex.split(line), dict(re.findall(r"--([a-z-]+)=(\S+)", line))
        if words[:3] == ["arcan", "generate", "eso"]:
            reads |= references(printed_manifests(line, copy, sandbox))
        elif words[:3] == ["arcan", "token", "create"] and "|" in words:
            for secret in printed_manifests(line, copy, sandbox):
                assert secret["metadata"]["labels"] == {SECRET_LABEL_NAME: SECRET_LABEL_VALUE}
                meta = secret["metadata"]
                made |= {("Secret", meta["namespace"], meta["name"], key) for key in secret["stringData"]}
        elif words[:3] == ["kubectl", "create", "configmap"]:
            made.add(("ConfigMap", options["namespace"], words[3], options["from-file"].split("=")[0]))
            assert options["from-file"].split("=")[1] == "../data/tls/ca.crt"
            assert "--data-dir ../data " in README
        elif words[:4] == ["kubectl", "create", "secret", "generic"]:
            made.add(("Secret", options["namespace"], words[4], options["from-literal"].split("=")[0]))
        elif words[:3] == ["kubectl", "label", "secret"]:
            assert words[4:] == ["--namespace=default", f"{SECRET_LABEL_NAME}={SECRET_LABEL_VALUE}"]
            assert ("Secret", "default", words[3], "token") in made
    assert made == reads
    assert len(made) == 4


@pytest.mark.parametrize(
    "line", re.findall(r"(kubectl (?:apply|create|label|describe|annotate|rollout) [^`|\n]+)", README)
)
def test_every_other_kubectl_command_names_what_is_there(line: str) -> None:
    """The two that make objects for stores are held against the stores above."""
    words = line.split()
    if words[1] in ("create", "label"):
        return
    if words[1:3] == ["apply", "-f"]:
        assert words[3:] == ["-"]
    elif words[1] == "apply":
        assert words[2] == "--server-side"
        assert (ROOT / words[4] / ("kustomization.yaml" if words[3] == "-k" else "")).is_file()
    elif words[1] == "annotate":
        synced = Refresh(Namespace("default"), ObjectName("NAME")).arguments("$(date +%s)")
        assert line.removeprefix("kubectl ") == " ".join(word for word in synced if "namespace" not in word)
    else:
        assert words[1:] == ["describe", "externalsecret", "NAME"], "say here what it is held against"


def test_every_route_is_in_the_table_and_no_other() -> None:
    table = README[README.index("| route | answer |") : README.index("| status | code")]
    documented = [
        (path, "no token" not in answer) for path, answer in re.findall(r"`GET (.*?)` \| (.*)", table)
    ]
    assert documented == [
        (f"{route.path}?{route.query}" if route.query else route.path, route.token) for route in ROUTES
    ]


def test_the_settings_that_the_readme_names_are_read_and_have_these_defaults() -> None:
    settings = README[README.index("| in `arcan.yaml`") : README.index("| in an app")]
    rows = dict(re.findall(r"^\| `([^|]*?)` \| (.*?) \|", settings, re.M))
    text = f"""
server: {{url: {rows["server.url"].strip("`")}, ca: {rows["server.ca"].strip("`")}}}
stores: {{scope: {rows["stores.scope"].strip("`")}, name: arcan, bulkName: arcan-bulk,
  unified: {rows["stores.unified"].strip("`")},
  esoNamespace: {rows["stores.esoNamespace"].strip("`")}}}
tokenSecret: {rows["tokenSecret"].strip("`")}
credentials: {rows["credentials"].strip("`")}
refreshInterval: {rows["refreshInterval"].strip("`")}
esoVersion: {rows["esoVersion"].strip("`")}
"""
    assert set(rows) == {"server.url", "server.ca", "stores.scope", "stores.name`, `stores.bulkName",
                         "stores.esoNamespace", "stores.fullNames", "tokenSecret", "refreshInterval",
                         "credentials", "clusterKeys", "tokens.name", "overlays.<name>",
                         "refreshPolicy`, `refreshSpread", "esoVersion", "stores.unified",
                         "stores.vault`, `infisical`, `aws`, `webhook", "server.deploy", "argocd"}  # fmt: skip

    def no_file(_: str) -> EmbeddedCa:
        raise AssertionError("no file is named")

    written = Settings.parse(text.encode(), "README", no_file)
    assert written.defaults == Settings.parse(b"overlays: {}\n", "empty", no_file).defaults


def test_make_has_the_two_commands() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in ("demo", "test"):
        assert f"`make {target}`" in README
        assert re.search(rf"(?m)^{target}:", makefile)


def test_every_error_code_is_in_the_table_with_its_status() -> None:
    table = README[README.index("| status | code") : README.index("## The command line")]
    found = {
        code: int(row.split("|")[1])
        for row in table.splitlines()[2:]
        if row.startswith("|")
        for code in re.findall(r"`(\w+)`", row.split("|")[2])
    }
    assert found == STATUS


def test_every_command_is_in_the_readme_and_no_other() -> None:
    table = README[README.index("## The command line") : README.index("All options are in")]
    listed = set()
    for cell in re.findall(r"^\| (`arcan .*?) \|", table, re.M):
        first, *rest = re.findall(r"`(.*?)`", cell)
        words = tuple(first.split()[1:])
        listed |= {words, *((*words[:-1], word) for word in rest)}
    assert listed == set(commands(arcan))


def test_the_yaml_examples_are_what_the_product_reads() -> None:
    app, application, realm = blocks("yaml")
    (read,) = read_documents(application.encode(), "README")
    assert judge_application(application) == ["valid"]
    assert (ROOT / read["spec"]["source"]["path"] / "kustomization.yaml").is_file()
    assert App.parse(app.encode(), "mailer.yaml").name == "mailer"
    assert RealmSettings.parse(realm.encode(), "realm.yaml").limits.allow_empty == ("OPTIONAL_*",)


# one process for all of them, and one of their own: click remembers help options that another test asked for
PRINT_HELP = """
import json, sys
from click.testing import CliRunner
from arcan_gitops.cli import arcan

def text(path):
    done = CliRunner().invoke(arcan, [*path, "--help"], prog_name="arcan", terminal_width=98)
    assert done.exit_code == 0, path
    return done.stdout

print(json.dumps([text(path) for path in json.load(sys.stdin)]))
"""


def test_the_reference_of_the_command_line_equals_the_help(request: pytest.FixtureRequest) -> None:
    paths = [(), *commands(arcan)]
    printed = subprocess.run(
        [sys.executable, "-c", PRINT_HELP],
        input=json.dumps(paths),
        capture_output=True,
        text=True,
        check=True,
    )
    parts = ["# The command line\n\nWhat `--help` prints, for every command.\n"]
    for path, text in zip(paths, json.loads(printed.stdout), strict=True):
        parts.append(f"## {' '.join(('arcan', *path))}\n\n```text\n{text.strip()}\n```\n")
    text = "\n".join(parts)
    path = ROOT / "docs" / "cli.md"
    if request.config.getoption("--rewrite-golden"):
        path.write_text(text)
    assert path.read_text() == text, "run: pytest tests/docs --rewrite-golden"


def test_the_pages_that_arcan_explain_prints_are_those_of_docs(request: pytest.FixtureRequest) -> None:
    pages = [*sorted((ROOT / "docs/lint").glob("ARC*.md")), *sorted((ROOT / "docs/review").glob("ARR*.md"))]
    text = "\n".join(page.read_text() for page in pages)
    path = ROOT / "arcan_gitops" / FILE
    if request.config.getoption("--rewrite-golden"):
        path.write_text(text)
    assert path.read_text() == text, "run: pytest tests/docs --rewrite-golden"
