"""`arcan lint`, from argv to exit status."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from arcan_gitops.cli import main
from arcan_gitops.lint.check import ALL_RULES
from arcan_gitops.lint.reports import FORMATS
from tests.lint.writing import external_secret, store
from tests.support.realm_files import CANARY

ROOT = Path(__file__).resolve().parents[2]
WARNS = store() + external_secret(spec="  target: {deletionPolicy: Delete}")
FAILS = store(timeout="0s")


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Arcan = Callable[..., Ran]


@pytest.fixture
def arcan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Arcan:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, stdin: str = "") -> Ran:
        monkeypatch.setattr(sys, "argv", ["arcan", "lint", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as exited:
            main()
        captured = capsys.readouterr()
        return Ran(int(exited.value.code or 0), captured.out, captured.err)

    return run


def test_a_finding_is_a_line_with_file_line_and_rule_and_one_with_what_to_do(arcan: Arcan) -> None:
    Path("store.yaml").write_text(FAILS)
    ran = arcan("manifests", "store.yaml")
    assert (ran.status, ran.err) == (1, "")
    assert ran.out == (
        "store.yaml:10: error ARC030: SecretStore api: no timeout: a server that hangs stops ESO's only worker, "
        "and with it every ExternalSecret\n"
        "    add timeout: 10s  [arcan explain ARC030]\n"
        "\n"
        "1 error, 0 warnings in 1 manifest of 1 file (ESO 2.9.0; known up to 2.9.0)\n"
    )


def test_warnings_fail_only_a_strict_run(arcan: Arcan) -> None:
    ran = arcan("manifests", "-", stdin=WARNS)
    assert ran.status == 0
    assert "-:25: warning ARC051" in ran.out
    assert arcan("manifests", "--strict", "-", stdin=WARNS).status == 1


def test_no_findings_is_said_in_one_line(arcan: Arcan) -> None:
    ran = arcan("manifests", "-", stdin=store())
    assert ran == Ran(0, "no findings in 1 manifest of 1 file (ESO 2.9.0; known up to 2.9.0)\n", "")


def test_an_eso_that_is_not_known_is_said_with_the_verdict(arcan: Arcan):
    ran = arcan("manifests", "--eso-version", "2.14.0", "-", stdin=store())
    assert (
        ran.err
        == "arcan: warning: ESO 2.14.0 is newer than what is known here (up to 2.9.0): it is treated as 2.9.0\n"
    )
    assert ran.out.endswith("(ESO 2.14.0; known up to 2.9.0)\n")


def test_rules_are_chosen_by_id(arcan: Arcan) -> None:
    text = WARNS + FAILS
    assert "ARC051" not in arcan("manifests", "--rule", "arc030", "-", stdin=text).out
    ignored = arcan("manifests", "--ignore", "ARC030", "-", stdin=text)
    assert ignored.status == 0
    assert "ARC051" in ignored.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rule", "ARC31", "-"), "there is no rule 'ARC31'; did you mean 'ARC031'?"),
        (("--ignore", "x", "-"), "there is no rule 'x'"),
        (("--eso-version", "newest", "-"), "'newest' is not a version of ESO"),
        (("--format", "xml", "-"), "'xml' is not one of"),
        ((), "Missing argument 'PATH...'"),
    ],
)
def test_wrong_usage_exits_2(arcan: Arcan, arguments: tuple[str, ...], message: str) -> None:
    ran = arcan("manifests", *arguments, stdin=store())
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err


def test_the_version_decides(arcan: Arcan) -> None:
    text = store().replace("io/v1\n", "io/v1beta1\n")
    assert "ARC010" in arcan("manifests", "-", stdin=text).out
    assert "ARC010" not in arcan("manifests", "--eso-version", "0.16.2", "-", stdin=text).out


def test_an_empty_pipe_and_a_path_that_is_not_there_are_failures(arcan: Arcan) -> None:
    ran = arcan("manifests", "-")
    assert (ran.status, ran.out) == (1, "")
    assert "arcan: error: nothing to lint" in ran.err
    assert "no such file or folder" in arcan("manifests", "nowhere").err


def test_a_file_that_two_paths_lead_to_is_read_once(arcan: Arcan) -> None:
    Path("a").mkdir()
    Path("a/store.yaml").write_text(FAILS)
    assert "1 error, 0 warnings in 1 manifest of 1 file" in arcan("manifests", "a", "a/store.yaml").out


def test_json_has_everything(arcan: Arcan) -> None:
    body = json.loads(arcan("manifests", "--format", "json", "--eso-version", "2.4.0", "-", stdin=FAILS).out)
    assert {name: body[name] for name in ("esoVersion", "files", "manifests", "summary")} == {
        "esoVersion": "2.4.0",
        "files": 1,
        "manifests": 1,
        "summary": {"error": 1, "warning": 1},
    }
    first, last = body["findings"]
    assert (first["file"], first["line"], first["rule"], first["page"]) == (
        "-",
        10,
        "ARC030",
        "docs/lint/ARC030.md",
    )
    assert (last["file"], last["line"], last["severity"]) == (None, None, "warning")


def test_sarif_names_every_rule_and_places_each_result(arcan: Arcan) -> None:
    Path("a b.yaml").write_text(FAILS)
    body = json.loads(arcan("manifests", "--format", "sarif", "a b.yaml").out)
    (run,) = body["runs"]
    assert body["version"] == "2.1.0"
    listed = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in listed] == [rule.id for rule in ALL_RULES]
    (result,) = run["results"]
    assert listed[result["ruleIndex"]]["id"] == result["ruleId"] == "ARC030"
    assert result["level"] == "error"
    assert result["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "a%20b.yaml"}, "region": {"startLine": 10}}}
    ]


def test_github_annotations_escape_what_would_end_them(arcan: Arcan) -> None:
    Path("a,b:c.yaml").write_text(FAILS.replace("name: api", 'name: "x%0A::y"', 1))
    first, second, _ = arcan("manifests", "--format", "github", "a,b:c.yaml").out.split("\n")
    assert first.startswith(
        "::error file=a%2Cb%3Ac.yaml,line=10,title=ARC030::SecretStore x%250A::y: no timeout"
    )
    assert first.endswith("%0Aadd timeout: 10s%0Aarcan explain ARC030")
    assert second.startswith("1 error")


def test_a_name_cannot_forge_a_line_or_drive_a_terminal(arcan: Arcan) -> None:
    text = FAILS.replace("name: api", 'name: "x\\n::error::\\e[31mforged"', 1)
    for style in ("text", "github"):
        out = arcan("manifests", "--format", style, "-", stdin=text).out
        assert "\x1b" not in out
        assert not any(line.startswith("::error::") for line in out.split("\n"))


def test_the_rules_are_listed(arcan: Arcan) -> None:
    ran = arcan("rules")
    assert ran.status == 0
    for rule, line in zip(ALL_RULES, ran.out.splitlines(), strict=True):
        assert line.split()[:2] == [rule.id, rule.severity]
        assert line.endswith(f"arcan explain {rule.id}")


def test_the_output_of_kustomize_can_be_piped_in(arcan: Arcan) -> None:
    built = subprocess.run(
        ["kustomize", "build", str(ROOT / "kustomize/overlays/prod")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert arcan("manifests", "-", stdin=built.stdout).status == 0


SECRETS = f"""\
---
apiVersion: v1
kind: Secret
metadata: {{name: api-token}}
data: {{token: {CANARY}}}
stringData: {{password: {CANARY}}}
---
apiVersion: external-secrets.io/v1beta1
kind: SecretStore
metadata: {{name: api}}
spec:
  provider:
    webhook:
      url: 'http://user:{CANARY}@{CANARY}/{{{{ .auth.tokn }}}}?token={CANARY}&x=%zz'
      headers:
      - {{name: Authorization, value: Bearer {CANARY}}}
      - {{X-Api-Key: {CANARY}}}
      body: '{{{{ .nothing }}}} {CANARY}'
      caBundle: {CANARY}
      secrets: [{{name: auth, secretRef: {{name: api-token}}}}]
---
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {{name: other}}
spec:
  provider:
    webhook:
      url: 'https://{CANARY}.internal:9797'
      headers: {{Authorization: {CANARY}, Cookie: 'a={CANARY}'}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {{name: a}}
spec:
  secretStoreRef: {{name: other}}
  target: {{template: {{data: {{x: '{CANARY} {{{{ .a-b }}}} {{{{ env "{CANARY}" }}}}'}}}}, deletionPolicy: Delete}}
  data: [{{secretKey: a, remoteRef: {{key: a}}}}, {{secretKey: b, remoteRef: {{key: b}}}}]
---
kind: ConfigMap
data: {{rules: 'expr: external_secrets_x + {CANARY}', dashboard: '{CANARY}'}}
---
a: [{CANARY}
---
b: {{{{ {CANARY} }}}}
---
c: {{{{ .Values.{CANARY} }}}}
---
d: *{CANARY}
---
apiVersion: constraints.gatekeeper.sh/v1
kind: ConstraintTemplate
spec: {{targets: [{{target: {CANARY}, rego: '{CANARY}[x] if y'}}]}}
"""


@pytest.mark.parametrize("style", sorted(FORMATS))
def test_no_value_is_ever_printed(arcan: Arcan, style: str) -> None:
    ran = arcan("manifests", "--format", style, "-", stdin=SECRETS)
    assert ran.status == 1
    for rule in ("ARC010", "ARC022", "ARC032", "ARC035", "ARC036", "ARC057", "ARC058", "ARC070", "ARC071"):
        assert rule in ran.out
    assert CANARY not in ran.out + ran.err
