"""Each rule has a page, and lint finds on it what it says: the examples are the tests of the rules."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from arcan_gitops.cli.lint import manifests
from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.lint.advisories import advisories
from arcan_gitops.lint.check import ALL_RULES, lint
from arcan_gitops.lint.findings import Report
from arcan_gitops.lint.objects import ESO_GROUP
from arcan_gitops.lint.reading import Source
from arcan_gitops.lint.rule import Rule
from arcan_gitops.validate.check import judge
from arcan_gitops.validate.embedded import Embedded
from arcan_gitops.validate.manifests import Manifest, read_manifests
from arcan_gitops.validate.results import Status
from arcan_gitops.validate.schemaset import SchemaSet, eso_versions

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "lint"


class Page(NamedTuple):
    text: str
    wrong: str
    right: str
    eso: EsoVersion


def page_of(rule: Rule) -> Page:
    text = (ROOT / rule.page).read_text()
    examples = re.findall(r"^## (Wrong|Right).*?\n\n```yaml\n(.*?)^```$", text, re.M | re.S)
    assert [heading for heading, _ in examples] == ["Wrong", "Right"]
    eso = re.search(r"^## Wrong \(`--eso-version (\S+)`\)$", text, re.M)
    return Page(text, examples[0][1], examples[1][1], EsoVersion.parse(eso[1] if eso else "v2.9.0"))


def run(text: str, eso: EsoVersion) -> Report:
    return lint([Source("example.yaml", text.encode())], eso)


rules = pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.id)


@rules
def test_what_the_page_calls_wrong_is_found_by_this_rule_alone(rule: Rule) -> None:
    page = page_of(rule)
    found = run(page.wrong, page.eso).findings
    assert {finding.rule for finding in found} == {rule.id}
    assert all(finding.place is not None and finding.message and finding.hint for finding in found)


@rules
def test_what_the_page_calls_right_is_clean(rule: Rule) -> None:
    page = page_of(rule)
    assert run(page.right, page.eso).findings == ()


@rules
def test_what_the_page_calls_right_is_valid_too(rule: Rule) -> None:
    manifests = read_manifests(page_of(rule).right.encode(), "right")
    ours = [m for m in manifests if isinstance(m, Manifest) and m.api_version.startswith(f"{ESO_GROUP}/")]
    results = judge(ours, Embedded(), SchemaSet(eso_versions()[-1]))
    assert {(result.status, result.message) for result in results} <= {(Status.VALID, "")}


@rules
def test_the_page_says_what_the_rule_says(rule: Rule) -> None:
    text = page_of(rule).text
    assert text.startswith(f"# {rule.id}: {rule.title}\n\n**{rule.severity}**\n")
    assert "\n## Why\n" in text


def test_the_index_lists_every_rule_with_its_severity() -> None:
    index = (PAGES / "README.md").read_text()
    rows = re.findall(r"^\| \[(ARC\d+)\]\((\S+)\) \| (\w+) \| (.*) \|$", index, re.M)
    assert rows == [(rule.id, f"{rule.id}.md", rule.severity.value, rule.title) for rule in ALL_RULES]
    assert {path.stem for path in PAGES.glob("ARC*.md")} == {rule.id for rule in ALL_RULES}


def test_the_page_about_vulnerabilities_lists_every_advisory() -> None:
    text = (PAGES / "ARC060.md").read_text()
    for advisory in advisories():
        fixed = ", ".join(str(fixed) for _, fixed in advisory.affected)
        row = rf"^\| \[{advisory.number}\]\({advisory.url}\) \| {advisory.rating} \|.*\| {fixed} \| .*{advisory.title} \|$"
        assert re.search(row, text, re.M)


def test_the_commands_of_the_index_are_commands() -> None:
    block = re.search(r"^```sh\n(.*?)^```$", (PAGES / "README.md").read_text(), re.M | re.S)
    assert block is not None
    for line in block[1].splitlines():
        words = shlex.split(line.partition(" > ")[0].rpartition(" | ")[2])
        assert words[:3] == ["arcan", "lint", "manifests"]
        manifests.make_parser(click.Context(manifests)).parse_args(words[3:])


def test_every_page_that_a_page_links_to_is_there() -> None:
    for path in PAGES.glob("*.md"):
        for target in re.findall(r"\]\((?!https:)([^)]+)\)", path.read_text()):
            assert (PAGES / target).is_file(), f"{path.name}: {target}"
