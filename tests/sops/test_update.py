"""Many keys in one edit: the same as one by one, and all or none."""

from __future__ import annotations

import json

import pytest

from arcan_gitops.errors import SeveralErrors
from arcan_gitops.sops import encrypt, load
from tests.support.realm_files import new_identity

PRIVATE, PUBLIC = new_identity()
VALUES = {"B": "new", "NEW": "x\ny\n", "A": "changed", "MORE": {"deep": ["1", 2]}, "LAST": "z"}


def document(format: str) -> bytes:
    return encrypt({"A": "a", "B": "b"}, recipients=[PUBLIC], format=format)


@pytest.mark.parametrize("format", ["yaml", "json", "dotenv"])
def test_many_keys_at_once_are_as_one_by_one(format: str) -> None:
    values = {key: value for key, value in VALUES.items() if format != "dotenv" or isinstance(value, str)}
    at_once = load(document(format), format=format, identities=[PRIVATE])
    at_once.update(values)
    one_by_one = load(document(format), format=format, identities=[PRIVATE])
    for key, value in values.items():
        one_by_one.set(key, value)
    again = load(at_once.dump(), format=format, identities=[PRIVATE])
    assert (
        json.dumps(again.tree)
        == json.dumps(one_by_one.tree)
        == json.dumps({"A": "", "B": "", **again.tree, **values})
    )


def test_untouched_lines_stay_and_what_is_the_same_is_not_written_anew() -> None:
    before = document("yaml")
    loaded = load(before, identities=[PRIVATE])
    loaded.update({"A": "a", "B": "b"})
    assert loaded.dump() == before
    loaded.update({"A": "a", "NEW": "x"})
    assert loaded.dump().splitlines()[:2] == before.splitlines()[:2]


def test_one_value_that_cannot_be_set_is_none_set_and_all_are_named() -> None:
    loaded = load(document("yaml"), identities=[PRIVATE])
    with pytest.raises(SeveralErrors) as caught:
        loaded.update({"GOOD": "x", "EMPTY": "", "X_unencrypted": "y", "A": None})
    assert [problem.message.split(":")[0] for problem in caught.value.problems] == [
        "key 'EMPTY'", "key 'X_unencrypted'", "key 'A'",
    ]  # fmt: skip
    assert loaded.tree == {"A": "a", "B": "b"}


def test_a_thousand_keys_are_one_edit() -> None:
    loaded = load(document("yaml"), identities=[PRIVATE])
    loaded.update({f"KEY_{at}": str(at) for at in range(1000)})
    assert list(load(loaded.dump(), identities=[PRIVATE]).tree)[-1] == "KEY_999"
