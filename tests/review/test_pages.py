"""Each finding has a page, and review finds what the page says: the examples are the tests of the rules."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from arcan_gitops.review.findings import RULES, Kind, Rule
from tests.review.sample import CANARY, Sample

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "review"
HEADINGS = {Kind.BROKEN: ["Wrong", "Right"], Kind.GAIN: ["Told", "Not told"], Kind.NOTE: ["Told", "Not told"]}
# what the checks find that read files, for which alone they run here
CHECKS = ("ARR119", "ARR120", "ARR121", "ARR123", "ARR315")


class Page(NamedTuple):
    text: str
    found: str
    not_found: str


def page_of(rule: Rule) -> Page:
    text = (ROOT / rule.page).read_text()
    examples = re.findall(r"^## ([^\n]*)\n\n```sh\n(.*?)^```$", text, re.M | re.S)
    assert [heading for heading, _ in examples] == HEADINGS[rule.kind]
    return Page(text, examples[0][1], examples[1][1])


def reviewed(sample: Sample, script: str, rule: Rule) -> list[dict[str, Any]]:
    sample.sh(script)
    facts_only = [] if rule.id in CHECKS else ["--facts-only"]
    printed = sample.arcan("review", "--format=json", "--fail-on=none", *facts_only)
    assert CANARY not in printed
    return list(json.loads(printed)["findings"])


rules = pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)


@rules
def test_what_the_page_shows_is_found(rule: Rule, sample: Sample) -> None:
    found = [each for each in reviewed(sample, page_of(rule).found, rule) if each["rule"] == rule.id]
    assert found
    assert all(each["message"] and each["next"] for each in found)


@rules
def test_what_the_page_shows_beside_it_is_not_found(rule: Rule, sample: Sample) -> None:
    found = reviewed(sample, page_of(rule).not_found, rule)
    assert rule.id not in {each["rule"] for each in found}


@rules
def test_the_page_says_what_the_rule_says(rule: Rule) -> None:
    assert page_of(rule).text.startswith(f"# {rule.id}: {rule.title}\n\n**{rule.kind}**\n\n")


def test_the_index_lists_every_rule() -> None:
    rows = re.findall(r"^\| \[(ARR\d+)\]\((\S+)\) \| (.*) \|$", (PAGES / "README.md").read_text(), re.M)
    assert rows == [(rule.id, f"{rule.id}.md", rule.title) for rule in RULES.values()]
    assert {path.stem for path in PAGES.glob("ARR*.md")} == set(RULES)


def test_every_page_that_a_page_links_to_is_there() -> None:
    for path in PAGES.glob("*.md"):
        for target in re.findall(r"\]\((?!https:)([^)#]+)\)", path.read_text()):
            assert (PAGES / target).is_file(), f"{path.name}: {target}"
