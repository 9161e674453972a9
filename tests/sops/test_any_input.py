"""Whatever is put in: what comes out is a result or an `ArcanError`, and no error shows a value."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arcan_gitops import sops
from arcan_gitops.errors import ArcanError
from tests.support.drawn_edits import paths
from tests.support.realm_files import CANARY, new_identity

IDENTITY, RECIPIENT = new_identity()
HELD = sops.Identities([IDENTITY])
QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck))
TREES: dict[str, dict[str, Any]] = {
    "yaml": {
        "first": CANARY,
        "second": "two",
        "list": [CANARY, 5, {"a": True}],
        "nested": {"inner": CANARY, "f": 1.5},
    },
    "json": {"first": CANARY, "second": "two", "list": [CANARY, 5, {"a": True}], "nested": {"inner": CANARY}},
    "dotenv": {"FIRST": CANARY, "SECOND": "two\nlines"},
    "binary": {"data": f"{CANARY}\n\x00"},
}
DOCUMENTS = {
    format: sops.encrypt(tree, format=format, recipients=[RECIPIENT]) for format, tree in TREES.items()
}
FLAT = sops.encrypt({"first": CANARY, "second": "two"}, recipients=[RECIPIENT])
PIECES = [
    b"\n", b'""', b": ", b"- ", b"null", b"&a *a", b"sops:", b"\r\n", b"---\n", b"...\n", b"%YAML 1.1\n", b"<<: ", b"? ", b"!!str ", b"# ",
    b"[", b"]", b"{", b"}", b",", b'"', b"'", b"|\n", b"\t", b"\\u0000", b"\\ud800", b"1e999", b"9" * 30, b"0x", b"\xff", b"\xc3", b"\0",
    b"ENC[", b",type:int]", b",type:comment]", b"sops_", b"__list_9", b"=", b"type:float", b"\xef\xbb\xbf", b"\xe2\x80\xa8",
]  # fmt: skip


def said(error: BaseException) -> str:
    """All that an error, and what led to it, would show if it were printed."""
    shown, link = "", error
    while link is not None:
        notes = getattr(link, "__notes__", [])
        shown += f"{link} {link!r} {getattr(link, 'hint', '')} {notes}"
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)  # type: ignore[assignment]
    return shown


@contextlib.contextmanager
def harmless() -> Iterator[None]:
    """Whether what is done inside raises nothing but `ArcanError`s, which show no value."""
    try:
        yield
    except ArcanError as error:
        assert CANARY not in said(error)


def covered(value: object, path: str = "") -> list[tuple[str, object]]:
    """The leaves with what SOPS authenticates of their places: neither lists nor colons in keys show there."""
    if isinstance(value, dict):
        return [leaf for key, child in value.items() for leaf in covered(child, f"{path}{key}:")]
    if isinstance(value, list):
        return [leaf for child in value for leaf in covered(child, path)]
    return [(path, value)]


def read_all_ways(data: bytes, format: str) -> list[sops.Document]:
    """What can be asked of a file; what was read, if it was."""
    with harmless():
        sops.key_names(data, format=format)
    with harmless():
        sops.outline(data, format=format)
    with harmless():
        sops.outline(data, format=format, limits=sops.ANY_VALUES)
    read: list[sops.Document] = []
    with harmless():
        read.append(sops.load(data, format=format, identities=HELD))
    return read


@pytest.mark.parametrize("format", [*TREES, "ini"])
@settings(QUICK, max_examples=200)
@given(data=st.lists(st.binary(max_size=12) | st.sampled_from(PIECES), max_size=12).map(b"".join))
def test_any_bytes_are_read_or_refused(format: str, data: bytes) -> None:
    assert read_all_ways(data, format) == []


@pytest.mark.parametrize("name", [*TREES, "flat"])
@settings(QUICK, max_examples=150)
@given(data=st.data())
def test_no_mutation_of_a_document_raises_anything_else_or_changes_a_value(
    name: str, data: st.DataObject
) -> None:
    format, document = ("yaml", FLAT) if name == "flat" else (name, DOCUMENTS[name])
    truth = {"first": CANARY, "second": "two"} if name == "flat" else TREES[name]
    for _ in range(data.draw(st.sampled_from([1, 1, 1, 2]))):
        start = data.draw(st.integers(0, len(document) - 1))
        length = data.draw(st.integers(0, 40))
        inserted = data.draw(st.binary(max_size=12) | st.sampled_from(PIECES))
        document = document[:start] + inserted + document[start + length :]
    for read in read_all_ways(document, format):
        assert covered(read.trees[0]) == covered(truth)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=4) | st.text(max_size=6)
    | st.text(st.characters(), max_size=3) | st.just(CANARY) | st.text(max_size=6).map(sops.Timestamp)
    | st.dates() | st.just(...) | st.frozensets(st.integers(), max_size=2),
    lambda child: st.lists(child, max_size=3) | st.tuples(child, child)
    | st.dictionaries(st.text(st.characters(), max_size=5) | st.integers() | st.none() | st.just("<<"), child, max_size=3),
    max_leaves=6,
)  # fmt: skip
TEXT = st.text(st.characters(), max_size=8)


@pytest.mark.parametrize("format", TREES)
@settings(QUICK, max_examples=120)
@given(tree=st.dictionaries(TEXT | st.just("data"), ANYTHING, max_size=3) | ANYTHING)
def test_any_tree_is_written_so_that_it_reads_or_is_refused(format: str, tree: Any) -> None:
    with harmless():
        made = sops.encrypt(tree, format=format, recipients=[RECIPIENT], limits=sops.ANY_VALUES)
        read = sops.load(made, format=format, identities=HELD, limits=sops.ANY_VALUES)
        assert repr(read.tree) == repr(tree)  # of NaN too


@settings(QUICK, max_examples=150)
@given(
    recipients=st.lists(TEXT | st.sampled_from(["age1", "ssh-ed25519 ", RECIPIENT, IDENTITY]), max_size=3),
    rule=st.none() | st.tuples(TEXT | st.sampled_from(["encrypted_regex", "unencrypted_suffix"]), TEXT),
    format=st.sampled_from([*TREES, "ini", ""]),
)
def test_any_recipients_rules_and_formats_are_taken_or_refused(
    recipients: list[str], rule: tuple[str, str] | None, format: str
) -> None:
    with harmless():
        sops.encrypt({"data": CANARY}, format=format, recipients=recipients, rule=rule)


@pytest.mark.parametrize("format", TREES)
@settings(QUICK, max_examples=80)
@given(data=st.data())
def test_any_edit_is_made_or_refused_and_a_refused_one_changes_nothing(
    format: str, data: st.DataObject
) -> None:
    document = sops.load(DOCUMENTS[format], format=format, identities=HELD)
    known = st.sampled_from(list(paths(TREES[format])))
    steps = st.lists(
        TEXT | st.integers() | st.sampled_from(["first", "list", "data", "FIRST", "sops", 0]), max_size=3
    )
    path = data.draw(
        known | st.tuples(known, steps).map(lambda both: (*both[0], *both[1])) | steps.map(tuple)
    )
    if not path:
        return
    method = data.draw(st.sampled_from(["set", "unset", "rename"]))
    argument = () if method == "unset" else (data.draw(ANYTHING if method == "set" else TEXT),)
    edit: Callable[..., None] = getattr(document, method)
    try:
        edit(path, *argument)
    except ArcanError as error:
        assert CANARY not in said(error)
        assert document.dump() == DOCUMENTS[format]
    else:
        again = sops.load(document.dump(), format=format, identities=HELD)
        assert repr(again.trees) == repr(document.trees)


def test_no_error_of_a_tampered_document_shows_a_value() -> None:
    """At every place of every document, where values are decrypted before the fault is found."""
    for format, document in DOCUMENTS.items():
        for at in range(0, len(document), 31):
            for changed in (
                document[:at],
                document[:at] + document[at + 1 :],
                document[:at] + b"0" + document[at + 1 :],
            ):
                read_all_ways(changed, format)  # fmt: skip
        for kind in (b"int", b"float", b"bool", b"time", b"comment", b"bytes", b"x"):
            for match in re.finditer(rb"type:(\w+)", document):
                read_all_ways(document[: match.start(1)] + kind + document[match.end(1) :], format)


def test_nothing_is_logged_printed_or_warned_of(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    caplog.set_level(logging.NOTSET)
    for format, document in DOCUMENTS.items():
        [read] = read_all_ways(document, format)
        assert CANARY not in f"{read!r} {read} {read.metadata!r} {sops.outline(document, format=format)!r}"
        read_all_ways(document[:-200], format)
        read_all_ways(document.replace(b"type:str", b"type:int"), format)
    read_all_ways(FLAT.replace(b"unencrypted_suffix: _unencrypted", b"encrypted_regex: '('"), "yaml")
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
    assert recwarn.list == []
