"""The list of revoked tokens: ids and names, and no mistake in it brings the others back."""

from __future__ import annotations

from arcan_gitops.access import Caller, Revocations, Scope, parse_revocations
from arcan_gitops.names import RealmName

ID = "0123456789ab"


def caller(identifier: str = ID, name: str = "eso", realm: str = "shop") -> Caller:
    return Caller(identifier, name, RealmName(realm), Scope())


def test_an_id_and_a_name_of_a_realm_are_covered() -> None:
    revocations, problems = parse_revocations(f"# who left\n\n{ID}  # the old one\nshop/ci\n", "list")
    assert problems == []
    assert revocations.cover(caller())
    assert revocations.cover(caller("other0123456", "ci"))
    assert not revocations.cover(caller("other0123456", "eso"))
    assert not revocations.cover(caller("other0123456", "ci", "another"))


def test_what_is_wrong_is_named_by_its_line_and_the_rest_holds() -> None:
    text = f"arc_{ID}_whole-token\nSHOP/ci\nshop/\n{ID}\n"
    revocations, problems = parse_revocations(text, "list")
    assert revocations == Revocations(frozenset({ID}))
    assert [problem.message.partition(": ")[0] for problem in problems] == ["list:1", "list:2", "list:3"]
    assert "whole-token" not in "".join(problem.message for problem in problems)


def test_entries_are_read_back() -> None:
    revocations, _ = parse_revocations(f"{ID}\nshop/ci\n", "list")
    assert parse_revocations("\n".join(revocations.entries()), "again") == (revocations, [])
