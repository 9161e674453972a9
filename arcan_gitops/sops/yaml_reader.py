"""libyaml's events as trees, with go-yaml's scalars: what any YAML of a document means.

A tree is dict, list and scalars; the order of a dict is the order of the document, which is the order of
the MAC. Source: getsops/sops stores/yaml/store.go; go.yaml.in/yaml/v3.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

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
from arcan_gitops.golang.yaml import ALWAYS_TEXT, Ambiguous, resolve_plain
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
from arcan_gitops.yamlio.faults import empty_document

_STR: Final = "tag:yaml.org,2002:str"
_MERGE: Final = "tag:yaml.org,2002:merge"
_COLLECTIONS: Final = (None, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_MAX_TOLD: Final = 100
_MAX_KEY: Final = 4096  # a path repeats the keys above it


class Reader:
    """Reads one file once."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._next = CParser(data).get_event
        self._max_depth = limits.max_depth
        self._max_leaves = limits.max_leaves
        self._values = 0
        self._twice: list[DuplicateKey] = []

    def documents(self) -> list[dict[str, Any]]:
        """The trees of all documents. Raises `SopsError`, `yaml.YAMLError`, `UnicodeError`."""
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
