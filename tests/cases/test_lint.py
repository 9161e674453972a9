"""eso/: what lint and validate say of it before a cluster sees it."""

from __future__ import annotations

import pytest

from arcan_gitops.eso_version import NEWEST, EsoVersion
from arcan_gitops.lint.check import lint
from arcan_gitops.lint.reading import Source
from arcan_gitops.validate.check import judge
from arcan_gitops.validate.embedded import Embedded
from arcan_gitops.validate.manifests import read_manifests
from arcan_gitops.validate.schemaset import SchemaSet
from tests.cases import case


def lint_of(start: str, eso: EsoVersion = NEWEST) -> list[tuple[str, str]]:
    """(rule, severity) of each finding, without that of an old ESO."""
    report = lint([Source(start, case("eso", start).read_bytes())], eso)
    return [(one.rule, one.severity.value) for one in report.findings if one.rule != "ARC060"]


@pytest.mark.parametrize(
    ("start", "findings"),
    [
        ("b01", [("ARC004", "warning")]),
        ("b02", [("ARC002", "warning")]),
        ("b03", [("ARC013", "warning")]),
        ("c04", [("ARC036", "error")]),
        ("c05", [("ARC091", "error"), ("ARC091", "error")]),
        ("c09", [("ARC059", "error"), ("ARC059", "error")]),
        ("e07", [("ARC034", "error")]),
        ("e13", [("ARC025", "error"), ("ARC025", "error")]),
        ("f01", [("ARC090", "error")]),
        ("l05", [("ARC081", "error")]),
        ("l07", [("ARC081", "error")]),
    ],
)
def test_lint_says_what_is_wrong(start: str, findings: list[tuple[str, str]]):
    assert lint_of(start) == findings


@pytest.mark.parametrize("start", ["a05", "a06", "a07", "a09", "b07", "c01", "k03"])
def test_lint_finds_nothing_in_what_is_right(start: str):
    assert lint_of(start) == []


def test_an_eso_before_2_5_makes_a_token_of_kubernetes():
    assert lint_of("l05", EsoVersion(2, 4, 1)) == lint_of("l07", EsoVersion(2, 4, 1)) == []


@pytest.mark.parametrize("start", ["b01", "b03", "b07", "c01", "c04", "c09"])
def test_what_the_api_server_takes_is_valid(start: str):
    items = read_manifests(case("eso", start).read_bytes(), start)
    assert {(one.status.value, one.message) for one in judge(items, Embedded(), SchemaSet("v2.9.0"))} == {
        ("valid", "")
    }
