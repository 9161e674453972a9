"""A document can say where it belongs, and nobody without its data key can change, take away or forge that."""

from __future__ import annotations

import json
import re

import pytest

from arcan_gitops import sops
from arcan_gitops.sops import (
    BadValue,
    ClearLeaf,
    Document,
    Identities,
    Limits,
    NoKeys,
    NoMatchingIdentity,
    SopsError,
)
from tests.support.realm_files import CANARY, decrypt_to_json, encrypt, new_identity

PRIVATE, PUBLIC = new_identity()
OTHER_PRIVATE, OTHER_PUBLIC = new_identity()
HELD = Identities([PRIVATE])
PLACE = "production/prod"
LOOSE = Limits(allow_unencrypted=("*",), allow_empty=("*",))
RULES = [
    (("unencrypted_suffix", "_unencrypted"), False),
    (("unencrypted_regex", "^clear$"), False),
    (("encrypted_regex", "^A$|^B$|^arcan_place$"), True),
]


def made(rule: tuple[str, str] | None = None, mac_only: bool = False, **values: str) -> bytes:
    tree = {"A": CANARY, "B": "b", **values}
    limits = LOOSE if values else Limits()
    return sops.encrypt(tree, recipients=[PUBLIC], rule=rule, mac_only=mac_only, limits=limits, place=PLACE)


def loaded(data: bytes, limits: Limits = LOOSE, held: Identities = HELD) -> Document:
    return sops.load(data, identities=held, limits=limits)


def leaf(data: bytes) -> bytes:
    """The line of the place."""
    found = re.search(rb"^arcan_place: .*\n", data, re.MULTILINE)
    assert found is not None
    return found[0]


def test_a_new_document_says_where_it_belongs_and_sops_reads_it() -> None:
    data = made()
    assert loaded(data).place == PLACE
    assert PLACE.encode() not in data
    assert json.loads(decrypt_to_json(data, PRIVATE).stdout) == {"arcan_place": PLACE, "A": CANARY, "B": "b"}


def test_the_place_is_no_key() -> None:
    data = made()
    document = loaded(data)
    assert document.tree == {"A": CANARY, "B": "b"}
    assert document.keys == ("A", "B")
    assert sops.key_names(data) == ("A", "B")
    found = sops.outline(data)
    assert (found.keys, found.bound) == (("A", "B"), True)
    assert set(sops.digests(data).keys) == {"A", "B"}


def test_binding_a_document_changes_no_version() -> None:
    data = encrypt(f"A: {CANARY}\nB: b\n", PUBLIC)
    document = loaded(data)
    assert document.place is None
    document.bind(PLACE)
    bound = document.dump()
    assert loaded(bound).place == PLACE
    assert sops.digests(bound) == sops.digests(data)
    assert loaded(bound).key_digest == loaded(data).key_digest
    assert decrypt_to_json(bound, PRIVATE).returncode == 0


@pytest.mark.parametrize(("rule", "mac_only"), RULES)
def test_without_the_key_it_cannot_be_renamed_edited_moved_or_removed(
    rule: tuple[str, str], mac_only: bool
) -> None:
    data = made(rule, mac_only)
    line = leaf(data)
    elsewhere = leaf(made(rule, mac_only))
    for changed in (
        data.replace(b"arcan_place:", b"another_place:"),
        data.replace(line, elsewhere),
        data.replace(line, line.replace(b"data:", b"data:A")),
        data.replace(line, b""),
        data.replace(line, b"").replace(b"sops:\n", line + b"sops:\n", 1),
        data.replace(line, b"arcan_place: production/prod\n"),
        data.replace(line, b"arcan_place: null\n"),
        data.replace(line, b"arcan_place: ''\n"),
        data.replace(line, line.replace(b": ", b":\n    - ")),
        data.replace(line, line.replace(b": ", b":\n    x: ")),
    ):
        assert changed != data
        with pytest.raises(SopsError):
            loaded(changed)


@pytest.mark.parametrize("mac_only", [False, True])
def test_a_leaf_in_clear_proves_nothing_whatever_the_realm_allows(mac_only: bool) -> None:
    # a leaf in clear can be renamed, for the MAC counts no names: it must never be taken for a place
    rule = ("unencrypted_regex", "^note$|^arcan_place$")
    tree = {"note": "evil/stolen", "A": CANARY}
    data = sops.encrypt(tree, recipients=[PUBLIC], rule=rule, mac_only=mac_only, limits=LOOSE)
    forged = data.replace(b"note:", b"arcan_place:")
    with pytest.raises(ClearLeaf, match="arcan_place"):
        loaded(forged)
    with pytest.raises(ClearLeaf, match="arcan_place"):
        sops.outline(forged, limits=LOOSE)


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (("encrypted_regex", "^[A-Z]"), "encrypted_regex: '(^[A-Z])|^arcan_place$'"),
        (("encrypted_suffix", "_secret"), "encrypted_regex: '(_secret$)|^arcan_place$'"),
        (("unencrypted_suffix", "place"), "'unencrypted_suffix' must not match 'arcan_place'"),
    ],
)
def test_a_rule_that_would_leave_it_in_clear_is_refused_with_the_rule_to_write(
    rule: tuple[str, str], wanted: str
) -> None:
    tree = {"A": "x", "B_secret": "x"}
    with pytest.raises(ClearLeaf) as refused:
        sops.encrypt(tree, recipients=[PUBLIC], rule=rule, limits=LOOSE, place=PLACE)
    assert wanted in (refused.value.hint or "")
    document = loaded(sops.encrypt(tree, recipients=[PUBLIC], rule=rule, limits=LOOSE))
    with pytest.raises(ClearLeaf, match="would leave 'arcan_place' in clear"):
        document.bind(PLACE)
    assert document.place is None


def test_the_rule_that_is_named_can_be_written() -> None:
    data = made(("encrypted_regex", "(^[A-Z])|^arcan_place$"))
    assert loaded(data, Limits()).place == PLACE


def test_a_document_needs_a_key_beside_its_place() -> None:
    document = loaded(made())
    document.unset("A")
    with pytest.raises(NoKeys):
        document.unset("B")
    line = leaf(made())
    alone = made().replace(b"".join(re.findall(rb"^[AB]: .*\n", made(), re.MULTILINE)), b"")
    with pytest.raises(SopsError):
        loaded(line + alone[alone.index(b"sops:") :])
    with pytest.raises(NoKeys):
        sops.outline(line + made()[made().index(b"sops:") :])


def test_edits_keep_it_and_cannot_take_it_for_a_key() -> None:
    document = loaded(made())
    for edit in (
        lambda: document.set("arcan_place", "evil/stolen"),
        lambda: document.set(("arcan_place", "x"), "evil/stolen"),
        lambda: document.update({"arcan_place": "evil/stolen"}),
        lambda: document.unset("arcan_place"),
        lambda: document.rename("arcan_place", "X"),
        lambda: document.rename("A", "arcan_place"),
        lambda: sops.encrypt({"arcan_place": "x"}, recipients=[PUBLIC]),
    ):
        with pytest.raises(BadValue):
            edit()
    document.set("A", "new")
    document.rename("B", "C")
    document.rotate([PUBLIC])
    assert loaded(document.dump()).place == PLACE


def test_an_entry_is_opened_with_the_identity_that_it_names_and_no_other() -> None:
    data = made()
    both = Identities([PRIVATE, OTHER_PRIVATE])
    assert loaded(data, held=both).place == PLACE
    relabelled = data.replace(PUBLIC.encode(), OTHER_PUBLIC.encode())
    with pytest.raises(NoMatchingIdentity):
        loaded(relabelled, held=both)


def test_an_identity_can_be_limited_to_a_place() -> None:
    data = made()
    held = Identities()
    held.add(PRIVATE, "a file", "production/prod")
    held.add(OTHER_PRIVATE, "another", "evil")
    assert loaded(data, held=held.at("production/prod")).place == PLACE
    for place in ("production/staging", "evil/stolen", "productio/prod", "evil/production"):
        with pytest.raises(NoMatchingIdentity, match="we hold"):
            loaded(data, held=held.at(place))  # also now that its data key was opened once
    held.add(PRIVATE, "a third", "evil")
    assert loaded(data, held=held.at("evil/stolen")).place == PLACE
    held.add(PRIVATE, "a fourth")
    assert loaded(data, held=held.at("any/where")).place == PLACE
    assert PRIVATE not in repr(held.at("any/where"))
