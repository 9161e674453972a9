"""The rule that names keys, as it is stated."""

from __future__ import annotations

import pytest

from arcan_gitops.migrate import Found, Left, Origin, key_for, name_all
from arcan_gitops.names import InvalidName, KeyName
from arcan_gitops.secret import SecretValue


@pytest.mark.parametrize(
    ("path", "field", "below", "key"),
    [
        ("myapp/db", "password", "", "myapp.db.password"),
        ("myapp/db", "password", "myapp", "db.password"),
        ("myapp/db", "password", "/myapp/db/", "password"),
        ("myapp/db", "password", "my", "myapp.db.password"),
        ("/prod/list", None, "prod", "list"),
        ("/prod/list", None, "prod/list", "list"),
        ("regcred", ".dockerconfigjson", "regcred", ".dockerconfigjson"),
        ("a b/c", "x  y/z", "", "a_b.c.x_y_z"),
        ("schlüssel", None, "", "schl_ssel"),
        ("..", "a", "", "_..a"),
        ("x", "..", "x", "_."),
    ],
)
def test_a_key_is_the_path_below_and_the_field(path: str, field: str | None, below: str, key: str) -> None:
    assert key_for(Origin(path, field), below) == key


@pytest.mark.parametrize("path", ["x" * 129, "sops"])
def test_what_no_document_can_have_is_no_name(path: str) -> None:
    with pytest.raises(InvalidName):
        key_for(Origin(path), "")


def test_what_is_left_out_keeps_its_reason_and_a_map_wins_over_the_rule() -> None:
    items = [
        Left(Origin("a"), "no"),
        Left(Origin("b"), "broken", wrong=True),
        Found(Origin("c"), SecretValue("v")),
    ]
    named, outcomes = name_all(items, "", {"c": KeyName("C")})
    assert [(one.key, one.renamed) for one in named] == [("C", True)]
    assert [(str(one.status), one.reason) for one in outcomes] == [("skipped", "no"), ("failed", "broken")]
