"""`--format html`: one file that asks for nothing, with the picture of who gets what, before and after."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from tests.review.sample import CANARY, Sample
from tests.review.test_hostile import hostile

__all__ = ["hostile"]

_WITH_NOTHING_INSIDE = {"meta", "br"}
OURS = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "h4", "p", "code", "ins", "del",
    "section", "ul", "li", "strong", "span", "br", "div", "details", "summary", "table", "thead", "tbody", "tr",
    "th", "td",
}  # fmt: skip


class Page(HTMLParser):
    """The tags in their order, and the text; fails where they do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in _WITH_NOTHING_INSIDE:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page(sample: Sample) -> Page:
    printed = sample.arcan("review", "--format=html", "--fail-on=none", "--facts-only")
    assert CANARY not in printed
    assert "default-src 'none'" in printed
    return Page(printed)


def test_the_picture_shows_who_gets_what_before_and_after(sample: Sample) -> None:
    sample.sh(
        r"sed -i 's/^\( *- \).* # break-glass$/&\n\1$MALLORY # mallory/' .sops.yaml"
        "\n"
        "arcan realm updatekeys production --env prod\n"
        "arcan token create --realm production --name ci --env prod\n"
        "arcan account remove eu/search/arcan-reader --realm production --yes\n"
        "sed -i 's/keys: .JWT_KEY./keys: [JWT_KEY, STRIPE_KEY]/' kustomize/apps/web.yaml"
    )
    text = page(sample).text
    for line in (
        f"+ mallory ({sample.recipients['mallory'][:14]}...{sample.recipients['mallory'][-6:]})",
        "+ token 'ci'",
        "\u2212 account 'eu/search/arcan-reader'",
        "+ web: JWT_KEY, STRIPE_KEY",
        "\u2212 web: JWT_KEY",
        "shop/shop on eu",
    ):
        assert line in text


def test_the_page_has_no_script_and_asks_for_nothing(sample: Sample) -> None:
    sample.sh("printf changed | arcan secret set production STRIPE_KEY --env prod --stdin")
    found = page(sample)
    assert found.tags <= OURS
    assert not found.attributes & {"href", "src", "style", "onclick", "onload"}


def test_hostile_names_make_no_tag_and_no_attribute(hostile: Sample) -> None:
    found = page(hostile)
    assert "<img src=x onerror=alert(1)>" in found.text
    assert found.tags <= OURS


@pytest.mark.parametrize("change", ["true", "printf 'more\\n' >> README.md"])
def test_a_branch_without_keys_has_a_page_too(sample: Sample, change: str) -> None:
    sample.sh(change)
    assert "no secret changes; nobody gains access" in page(sample).text
