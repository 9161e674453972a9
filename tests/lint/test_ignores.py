"""Comments that make an exception, with a reason."""

from __future__ import annotations

import pytest

from tests.lint.writing import external_secret, findings, rules, store

DELETE = "  target: {deletionPolicy: Delete}"


def deleting(comment: str = "", above: str = "") -> str:
    return external_secret(spec=f"{above}\n{DELETE}{comment}")


def test_a_comment_at_the_end_of_the_line_or_alone_above_it() -> None:
    assert rules(store(), deleting()) == ["ARC051"]
    assert rules(store(), deleting(comment=" # arcan-lint: ignore ARC051 told apart by the server")) == []
    assert rules(store(), deleting(above="  # arcan-lint: ignore ARC051 told apart by the server")) == []


def test_it_is_about_that_line_only() -> None:
    comment = "  # arcan-lint: ignore ARC051 told apart\n  refreshInterval: 1h"
    assert rules(store(), deleting(above=comment)) == ["ARC051"]
    trailing = "  refreshInterval: 1h # arcan-lint: ignore ARC051 told apart"
    assert rules(store(), deleting(above=trailing)) == ["ARC051"]


@pytest.mark.parametrize(
    "separator", ["---\n%s\n", "%s\n---\n", "---\n# the reason is long\n\n%s\n# and more\n"]
)
def test_above_the_first_line_it_is_about_the_whole_document_and_no_other(separator: str) -> None:
    head = separator % "# arcan-lint: ignore ARC051, ARC053 told apart by the server"
    document = deleting(above="  refreshInterval: '0'").removeprefix("---\n")
    assert rules(store() + head + document) == []
    assert rules(store() + head + document + deleting()) == ["ARC051"]


def test_other_rules_go_on() -> None:
    comment = " # arcan-lint: ignore ARC050 of another kind"
    assert rules(store(), deleting(comment=comment)) == ["ARC051"]


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("arcan-lint: ignore ARC051", "without a reason"),
        ("arcan-lint: ignore ARC999 why not", "there is no rule ARC999"),
        ("arcan-lint: ignore ARC050,ARC999 why not", "there is no rule ARC999"),
        ("arcan-lint: ignore all of it", "not understood"),
        ("arcan-lint: disable ARC051 because", "not understood"),
        ("arcan-lint ignore", "not understood"),
        ("arcan-lint:", "not understood"),
    ],
)
def test_a_comment_that_does_nothing_says_so(comment: str, message: str) -> None:
    found = findings(store(), deleting(comment=f" # {comment}"))
    assert [f.rule for f in found] == ["ARC003", "ARC051"]
    assert message in found[0].message


def test_it_may_be_in_small_letters_and_without_the_colon() -> None:
    assert rules(store(), deleting(comment=" # arcan-lint ignore arc051 told apart")) == []


def test_a_template_that_cannot_be_read_can_be_ignored_too() -> None:
    text = "a: {{ .Values.a }}\n"
    assert rules(f"# arcan-lint: ignore ARC002 rendered by another job\n{text}") == []


def test_text_that_only_looks_like_one_is_none() -> None:
    assert rules("kind: ConfigMap\ndata: {a: 'x#arcan-lint: ignore'}\n") == []
