"""What holds for every page that is written for people."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
)
FENCED = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)


def prose(path: Path) -> str:
    """A page without what only looks like a heading or a link."""
    return re.sub(r"`[^`\n]*\]\([^`\n]*`", "", FENCED.sub("", path.read_text()))


def anchors(path: Path) -> set[str]:
    """Of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(path), re.M)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_to_a_heading_of_it(page: str) -> None:
    path = ROOT / page
    for target, heading in re.findall(r"\]\((?!https?:|mailto:)([^)\s#]*)#?([^)\s]*)\)", prose(path)):
        found = path.parent / target if target else path
        assert found.exists(), target
        if heading and found.suffix == ".md":
            assert heading in anchors(found), f"{target}#{heading}"


def test_the_changelog_tells_of_each_thing_once() -> None:
    leads = Counter(re.findall(r"^- \*\*(.+?)\*\*", (ROOT / "CHANGELOG.md").read_text(), re.M))
    assert [lead for lead, times in leads.items() if times > 1] == []
