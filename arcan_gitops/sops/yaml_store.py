"""The YAML of a SOPS document as a tree: libyaml's events, go-yaml's scalars.

A tree is dict, list and scalars; the order of a dict is the order of the document, which is the order of
the MAC. Source: getsops/sops stores/yaml/store.go; go.yaml.in/yaml/v3.
"""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from arcan_gitops.errors import together
from arcan_gitops.golang.yaml import ALWAYS_TEXT, WORDS, Ambiguous, resolve_plain
from arcan_gitops.sops.errors import (
    DuplicateKey,
    Malformed,
    SopsError,
    TooLarge,
    Unsupported,
    empty_file,
    malformed,
)
from arcan_gitops.sops.limits import Limits
from arcan_gitops.yamlio.faults import empty_document, encoding_fault, unreadable

_STR: Final = "tag:yaml.org,2002:str"
_MAX_TOLD: Final = 100
_MAX_KEY: Final = 4096  # a path repeats the keys above it
_MAX_TAG_DIRECTIVES: Final = 100
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_MERGE: Final = "tag:yaml.org,2002:merge"
_FLAT_LINES: Final = re.compile(
    rb"(?:[A-Za-z_][A-Za-z0-9_-]{0,126}: ENC\[AES256_GCM,[A-Za-z0-9+/=:,]++\]\n|#[ -~]*+\n|\n)++"
)
_FLAT_LINE: Final = re.compile(r"(?m)^([A-Za-z_][^:]*): (.+)$")
_COLLECTIONS: Final = (None, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


def parse(data: bytes, limits: Limits) -> list[dict[str, Any]]:
    """All documents of the file as trees, still encrypted.

    Raises `Malformed`, `DuplicateKey`, `Unsupported` (aliases, tags) and `TooLarge`.
    """
    if len(data) > limits.max_bytes:
        raise TooLarge(f"the document has {len(data)} bytes, more than the {limits.max_bytes} allowed")
    if data.startswith(_UTF_16) and (fault := encoding_fault(data)) is not None:
        raise malformed(fault)
    if data.count(b"%TAG") > _MAX_TAG_DIRECTIVES:  # libyaml compares each with all before it
        raise TooLarge(f"more than {_MAX_TAG_DIRECTIVES} %TAG directives")
    flat = _flat(data, limits)
    if flat is not None:
        return [flat]
    try:
        return _Reader(data, limits).documents()
    except (yaml.YAMLError, UnicodeError) as error:
        if (fault := unreadable(data)) is not None:
            raise malformed(fault) from None
        mark: Any = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}: " if mark is not None else ""
        problem = getattr(error, "problem", None) or "not readable"
        raise Malformed(f"{place}not YAML: {problem}") from None


def _flat(data: bytes, limits: Limits) -> dict[str, Any] | None:
    """The tree of a document without maps and lists in the layout that SOPS writes: of most realm files.

    One `KEY: ENC[...]` a line, and below them the `sops` block, for which alone libyaml makes events: a third
    of the time. It only ever says yes. None, where anything is out of the ordinary, leaves the whole document
    to libyaml, and every refusal to one place; `tests/sops/test_flat_yaml.py` holds the two together.
    """
    end = data.find(b"\nsops:\n") + 1
    if _FLAT_LINES.fullmatch(data, 0, end) is None:
        return None
    lines = _FLAT_LINE.findall(data[:end].decode("ascii"))
    tree: dict[str, Any] = dict(lines)
    if len(tree) != len(lines) or not WORDS.isdisjoint(tree) or "sops" in tree:
        return None
    reader = _Reader(data[end:], limits)
    try:
        [block] = reader.documents()
        reader.count(len(lines))
    except (SopsError, ValueError, yaml.YAMLError):  # ValueError: not UTF-8, or several documents
        return None
    if list(block) != ["sops"]:
        return None
    tree["sops"] = block["sops"]
    return tree


class _Reader:
    def __init__(self, data: bytes, limits: Limits) -> None:
        self._next = CParser(data).get_event
        self._max_depth = limits.max_depth
        self._max_leaves = limits.max_leaves
        self._values = 0
        self._twice: list[DuplicateKey] = []

    def documents(self) -> list[dict[str, Any]]:
        documents: list[dict[str, Any]] = []
        found: list[tuple[int, bool]] = []
        while type(event := self._next()) is not StreamEndEvent:
            if type(event) is not DocumentStartEvent:
                continue
            if event.version not in (None, (1, 1)):
                self._fail(event, "a %YAML directive of another version than 1.1, which SOPS refuses")
            start: Any = event.start_mark
            root = self._next()
            tree = self._node(root, 1)
            if type(tree) is not dict and tree is not None:
                self._fail(root, "the top level is not a mapping")
            found.append((start.line + 1, tree is None))
            documents.append(tree or {})
        if self._twice:
            raise together(self._twice, f"{len(self._twice)} keys are given twice:")
        if (fault := empty_document(found)) is not None:
            raise malformed(fault) if len(found) > 1 else empty_file(fault.line)
        return documents

    def _fail(self, event: Any, problem: str, kind: type[SopsError] = Malformed) -> NoReturn:
        raise kind(f"line {event.start_mark.line + 1}: {problem}")

    def _node(self, event: Any, depth: int) -> Any:
        self.count(1)  # maps and lists count too: they take memory as values do
        kind = type(event)
        if kind is ScalarEvent:
            return self._scalar(event)
        if kind is AliasEvent:
            self._fail(event, "a YAML alias (SOPS writes none)", Unsupported)
        if depth > self._max_depth:
            raise TooLarge(f"line {event.start_mark.line + 1}: nested deeper than {self._max_depth}")
        if event.tag not in _COLLECTIONS:
            self._fail(event, "a YAML tag on a map or a list (SOPS writes none)", Unsupported)
        if kind is MappingStartEvent:
            return self._mapping(depth)
        assert kind is SequenceStartEvent
        items = []
        while type(item := self._next()) is not SequenceEndEvent:
            items.append(self._node(item, depth + 1))
        return items

    def count(self, values: int) -> None:
        """That many values more. Raises `TooLarge`."""
        self._values += values
        if self._values > self._max_leaves:
            raise TooLarge(f"the document has more than the {self._max_leaves} values allowed")

    def _mapping(self, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        get, node, scalar = self._next, self._node, self._scalar
        while type(key := get()) is not MappingEndEvent:
            name = self._key(key)
            if name in mapping and len(self._twice) < _MAX_TOLD:
                event: Any = key
                self._twice.append(
                    DuplicateKey(f"line {event.start_mark.line + 1}: the key {_shown(name)} is given twice")
                )
            event = get()
            if type(event) is ScalarEvent:
                self.count(1)
                value = scalar(event)
            else:
                value = node(event, depth + 1)
            if name == "<<" and not _may_be_merged(key, value):
                self._fail(key, "a merge key '<<' whose value is not a mapping")
            mapping[name] = value
        return mapping

    def _key(self, event: Any) -> str:
        if type(event) is not ScalarEvent:
            self._fail(event, "a key that is not a text")
        if event.value == "<<" and event.tag in (None, _MERGE):
            return "<<"  # to SOPS an ordinary key: it writes the string as `!!merge <<`
        name = self._scalar(event)
        if type(name) is not str:
            self._fail(event, "a key that is not a text (quote it)")
        if len(name) > _MAX_KEY:
            self._fail(event, f"a key of more than {_MAX_KEY} characters", TooLarge)
        return name

    def _scalar(self, event: Any) -> Any:
        tag = event.tag
        if tag is None:
            text: str = event.value
            if text[:1] in ALWAYS_TEXT or not event.implicit[0]:
                return text
            try:
                return resolve_plain(text)
            except OverflowError:
                self._fail(event, "an integer above 2^63-1, which SOPS cannot hold")
            except Ambiguous as error:
                self._fail(event, f"{error}, on which YAML readers differ", Unsupported)
        if tag in (_STR, "!", _MERGE):
            return event.value
        self._fail(event, "a YAML tag (SOPS writes none)", Unsupported)


def _may_be_merged(key: Any, value: Any) -> bool:
    """go-yaml, which reads a document once to find duplicates, takes an unquoted `<<` for a merge."""
    quoted = key.tag is None and not key.implicit[0]
    return (
        quoted or type(value) is dict or (type(value) is list and all(type(item) is dict for item in value))
    )


def _shown(name: str) -> str:
    return repr(name if len(name) <= 80 else name[:77] + "...")
