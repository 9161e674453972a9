"""A scope is changed in the file, in every style that people write one: the lines that change, and no others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from arcan_gitops.access import TokenRecord, read_tokens, rescope

NOW = datetime(2026, 11, 28, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
HEAD = "# ours\nversion: 1\ntokens:\n"
FIRST = f"  - id: AAAAAAAAAAAA # the first\n    name: one\n    policy: read-only\n    created: '2026-01-01'\n    digest: '{DIGEST}'\n"
LAST = FIRST.replace("AAAAAAAAAAAA # the first", "BBBBBBBBBBBB").replace("one", "two")


def entry(*fields: str) -> str:
    """The entry that is changed, between two others, with these lines for its scope."""
    lines = "".join(f"    {line}\n" for line in fields)
    text = FIRST.replace("AAAAAAAAAAAA # the first", "CCCCCCCCCCCC").replace("one", "mine")
    return text.replace("    created", f"{lines}    created")


def changed(text: str, **fields: object) -> str:
    def change(record: TokenRecord, *, stands: bool) -> TokenRecord:
        assert stands
        return replace(record, **fields)  # type: ignore[arg-type]

    before = read_tokens(text.encode(), "t")
    data, (result,) = rescope(text.encode(), "t", "mine", change, now=NOW)
    after = read_tokens(data, "t")
    assert [record for record in after if record.name != "mine"] == [
        record for record in before if record.name != "mine"
    ]
    assert result in after
    for field, value in fields.items():
        assert getattr(result, field) == value
    return data.decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("keys:", "- A", "- B # kept for the jobs", "- C"), ("keys:", "- B # kept for the jobs", "- D*")),
        (("keys:", "  - A", "  # why", "  - B", "", "  - C"), ("keys:", "  # why", "  - B", "  - D*", "")),
        (('keys: ["A", B, C] # all',), ("keys: ['B', 'D*'] # all",)),
        ((), ("keys:", "- B", "- D*")),
    ],
)  # fmt: skip
def test_a_list_of_keys_changes_where_it_stands(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    text = HEAD + FIRST + entry(*before) + "\n  # the other one\n" + LAST
    wanted = HEAD + FIRST + entry(*after).replace("    \n", "\n") + "\n  # the other one\n" + LAST
    assert changed(text.replace("    \n", "\n"), keys=("B", "D*")) == wanted


def test_several_fields_change_at_once_and_a_scope_can_go() -> None:
    text = HEAD + entry("environments: [prod]", "keys:", "- A", "expires: '2027-01-01'") + LAST
    end = datetime(2028, 1, 1, tzinfo=UTC)
    assert changed(text, environments=("dev", "p[a-z]od"), keys=None, expires=None) == (
        HEAD + entry("environments: ['dev', 'p[a-z]od']") + LAST
    )
    assert "expires: '2028-01-01T00:00:00Z'\n" in changed(text, expires=end)


@pytest.mark.parametrize(
    "text",
    [
        HEAD + f"  - {{id: CCCCCCCCCCCC, name: mine, policy: read-only, keys: ['[a-b]*', X], created: '2026-01-01', digest: '{DIGEST}'}}\n" + LAST,
        HEAD + f"  - keys: [A]\n    id: CCCCCCCCCCCC\n    name: mine\n    policy: read-only\n    created: '2026-01-01'\n    digest: '{DIGEST}'\n" + LAST,
        (HEAD + entry("keys:", "  [", "  A,", "  B ]") + LAST).replace("\n", "\r\n"),
    ],
)  # fmt: skip
def test_an_unusual_style_is_changed_all_the_same(text: str) -> None:
    for keys in (("B", "[!x]*"), None):
        assert "# ours" in changed(text, keys=keys)


def test_an_old_entry_that_has_ended_stays_as_it_is() -> None:
    old = (
        entry("expires: '2026-02-01'")
        .replace("CCCCCCCCCCCC", "DDDDDDDDDDDD")
        .replace("2026-01-01", "2025-01-01")
    )
    text = HEAD + old + entry()
    assert changed_only_last(text) == HEAD + old + entry("keys:", "- A")


def changed_only_last(text: str) -> str:
    data, _ = rescope(
        text.encode(), "t", "mine", lambda record, stands: replace(record, keys=("A",)), now=NOW
    )
    return data.decode()


@pytest.mark.parametrize("text", [("keys:", "- A", "- B # kept"), ("keys: [A, B]",)])
def test_a_list_in_another_order_is_the_same_list_and_what_is_new_follows(text: tuple[str, ...]) -> None:
    whole = HEAD + entry(*text) + LAST

    def change(record: TokenRecord, *, stands: bool) -> TokenRecord:
        return replace(record, keys=("C", "B", "C", "A"), environments=("prod", "prod"))

    data, (result,) = rescope(whole.encode(), "t", "mine", change, now=NOW)
    assert (result.keys, result.environments) == (("A", "B", "C"), ("prod",))
    assert result in read_tokens(data, "t")
    assert ("- B # kept" in text) == (b"- B # kept\n" in data)
