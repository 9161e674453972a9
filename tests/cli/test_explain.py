"""`arcan explain` prints the page about a finding, wherever arcan is installed."""

from __future__ import annotations

from click.testing import CliRunner

from arcan_gitops.cli import arcan
from arcan_gitops.errors import ArcanError
from arcan_gitops.lint.check import ALL_RULES
from arcan_gitops.review.findings import RULES


def test_a_page_is_printed_whole_and_alone() -> None:
    done = CliRunner().invoke(arcan, ["explain", "arr103"])
    assert done.stdout.startswith("# ARR103: a value that is silently the old one again\n")
    assert done.stdout.endswith("```\n")
    assert done.stdout.count("\n# AR") == 0
    assert "## Right" in done.stdout


def test_every_finding_is_listed() -> None:
    listed = [line.split()[0] for line in CliRunner().invoke(arcan, ["explain"]).stdout.splitlines()]
    assert set(listed) == {rule.id for rule in ALL_RULES} | set(RULES)
    assert listed == sorted(listed)


def test_what_is_no_finding_is_told_with_what_is_near() -> None:
    error = CliRunner().invoke(arcan, ["explain", "ARR1033"]).exception
    assert isinstance(error, ArcanError)
    assert error.hint is not None
    assert "ARR103" in error.hint
    assert "arcan explain" in error.hint
