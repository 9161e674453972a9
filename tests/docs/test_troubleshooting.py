"""docs/troubleshooting.md maps every row of the five guides to a check, and has every check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from arcan_gitops.doctor.checks import CHECKS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/troubleshooting.md"
GUIDES = (ROOT / "tests/docs/seeds/troubleshooting.tsv").read_text().splitlines()
TITLE = "## Every check\n\n| check | looks at | needs |\n|---|---|---|\n"


def rows() -> dict[str, list[str]]:
    """The cells of each row of the map, by its id."""
    lines = PAGE.read_text().partition("## Every check")[0].splitlines()
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if re.match(r"\| [A-Z]\d+ \|", line)]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in cells}


def test_every_row_of_the_guides_is_in_the_map() -> None:
    assert list(rows()) == [line.partition("\t")[0] for line in GUIDES]


@pytest.mark.parametrize("row", rows())
def test_a_row_has_a_symptom_checks_that_there_are_and_a_fix(row: str) -> None:
    symptom, checks, fix = rows()[row]
    names = re.findall(r"`([a-z-]+)`", checks)
    assert symptom
    assert fix
    assert names
    assert set(names) <= {check.id for check in CHECKS}


def test_every_check_is_in_the_page_with_what_it_looks_at(request: pytest.FixtureRequest) -> None:
    table = "".join(f"| `{check.id}` | {check.looks_at} | {check.needs} |\n" for check in CHECKS)
    if request.config.getoption("--rewrite-golden"):
        PAGE.write_text(PAGE.read_text().partition(TITLE)[0] + TITLE + table)
    assert PAGE.read_text().partition(TITLE)[2] == table, "run: pytest tests/docs --rewrite-golden"


def test_every_check_helps_with_a_row() -> None:
    named = {name for _, checks, _ in rows().values() for name in re.findall(r"`([a-z-]+)`", checks)}
    assert {check.id for check in CHECKS} <= named
