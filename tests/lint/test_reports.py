"""The report for people: what repeats is said once."""

from __future__ import annotations

from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.lint.check import lint
from arcan_gitops.lint.reading import Source
from arcan_gitops.lint.reports import FORMATS
from tests.lint.writing import store


def text_of(*texts: str) -> list[str]:
    report = lint([Source("a.yaml", "".join(texts).encode())], EsoVersion(2, 9))
    return FORMATS["text"](report).splitlines()


def test_findings_that_say_the_same_share_their_message_and_hint() -> None:
    lines = text_of(*(store(name=f"s{n}", timeout="0s") for n in range(6)))
    assert len(lines) == 6 + 1 + 2
    assert lines[0].startswith("a.yaml:10: error ARC030: SecretStore s0: no timeout: ")
    assert lines[1] == "a.yaml:28: error ARC030: SecretStore s1: the same"
    assert lines[6].endswith("[arcan explain ARC030]")
    assert lines[-1].startswith("6 errors, 0 warnings in 6 manifests")


def test_what_is_said_of_no_object_is_told_in_full() -> None:
    lines = text_of("a: {{ .Values.x }}\n---\nb: {{ .Values.y }}\n")
    assert lines[0].startswith("a.yaml:1: warning ARC002: a Helm template")
    assert all("the same" not in line or "Helm" in line for line in lines)


def test_two_problems_are_two_groups() -> None:
    lines = text_of(store(name="a", timeout="0s", path="$.a-b"), store(name="b", timeout="0s"))
    assert [line.split(":")[1] for line in lines if line.startswith("a.yaml")] == ["10", "28", "18"]
