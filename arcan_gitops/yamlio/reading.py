"""The strict reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NoReturn

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from arcan_gitops.golang.yaml import Ambiguous, resolve_plain
from arcan_gitops.yamlio.faults import Fault, not_one, unreadable
from arcan_gitops.yamlio.fields import Fields, InvalidFile, Items

_MAX_DEPTH: Final = 100


def read_mapping(data: bytes, source: str, *, aliases: bool = False) -> Fields:
    """The one YAML document of a file, which must be a mapping.

    Plain scalars mean what they mean to go-yaml; timestamps stay texts. Duplicate keys, tags and a second
    document are errors; so are anchors, aliases and merge keys, unless `aliases` (an alias is then the very
    object that its anchor made, so that none can fill the memory). Raises `InvalidFile`.
    """
    found = list(_documents(data, source, fields=True, aliases=aliases))
    if (fault := not_one([(line, node is None) for line, node in found])) is not None:
        raise _invalid(source, fault)
    [(line, node)] = found
    if not isinstance(node, Fields):
        raise InvalidFile(f"{source}:{line}: must be a mapping")
    return node


def read_documents(data: bytes, source: str) -> list[Any]:
    """All YAML documents of a file as plain dicts, lists and scalars; empty documents are left out.

    As strict as `read_mapping`; for manifests, whose fields are Kubernetes's to judge. Raises `InvalidFile`.
    """
    return [node for _, node in _documents(data, source, fields=False) if node is not None]


def read_foreign(data: bytes, source: str) -> Any:
    """The one document of a file whose rules are another program's: anchors and unknown fields are fine.

    Raises `InvalidFile`.
    """
    try:
        return yaml.load(data, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, AttributeError) as error:  # the last two: a bad timestamp or number
        raise _not_yaml(data, source, error, "not readable as YAML") from None


def _documents(data: bytes, source: str, *, fields: bool, aliases: bool = False) -> Iterator[tuple[int, Any]]:
    """(line where it begins, its root) of each document."""
    try:
        parser = CParser(data)
        composer = _Composer(parser, source, fields, aliases)
        while not isinstance(event := parser.get_event(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                start: Any = event.start_mark
                yield start.line + 1, composer.node(parser.get_event(), 0)
    except (yaml.YAMLError, UnicodeError) as error:  # the latter: an escape that Python does not take
        problem = getattr(error, "problem", None) or "not readable as YAML"
        raise _not_yaml(data, source, error, problem) from None


def _not_yaml(data: bytes, source: str, error: Exception, problem: str) -> InvalidFile:
    """What libyaml stopped at, or what is wrong before YAML begins."""
    if (fault := unreadable(data)) is not None:
        return _invalid(source, fault)
    mark: Any = getattr(error, "problem_mark", None)
    place = f"{source}:{mark.line + 1}" if mark is not None else source
    return InvalidFile(f"{place}: {problem}")


def _invalid(source: str, fault: Fault) -> InvalidFile:
    return InvalidFile(f"{source}:{fault.line}: {fault.problem}", hint=fault.hint)


class _Composer:
    def __init__(self, parser: Any, source: str, fields: bool, aliases: bool) -> None:
        self._next = parser.get_event
        self._source = source
        self._fields = fields
        self._aliases = aliases
        self._anchored: dict[str, Any] = {}

    def _fail(self, event: Any, problem: str, hint: str | None = None) -> NoReturn:
        raise InvalidFile(f"{self._source}:{event.start_mark.line + 1}: {problem}", hint=hint)

    def node(self, event: Any, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            self._fail(event, "nested too deeply")
        if event.anchor is None:
            return self._plain_node(event, depth)
        if not self._aliases:
            self._fail(event, "anchors and aliases are not supported here", "write the value out")
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchored:
                self._fail(event, f"the alias '*{event.anchor}' has no anchor, or is inside of it")
            return self._anchored[event.anchor]
        self._anchored.pop(event.anchor, None)
        node = self._anchored[event.anchor] = self._plain_node(event, depth)
        return node

    def _plain_node(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if event.tag not in (None, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            self._fail(event, "YAML tags are not supported here")
        if isinstance(event, yaml.SequenceStartEvent):
            items = Items()
            while not isinstance(item := self._next(), yaml.SequenceEndEvent):
                items.lines.append(item.start_mark.line + 1)
                items.append(self.node(item, depth + 1))
            return items if self._fields else list(items)
        return self._mapping(event, depth)

    def _mapping(self, event: Any, depth: int) -> Any:
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        merged: dict[str, tuple[Any, int]] = {}
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            if self._aliases and isinstance(key, yaml.ScalarEvent) and key.value == "<<" and key.implicit[0]:
                if merged:
                    self._fail(key, "'<<' is given twice")
                merged = self._merged(key, self.node(self._next(), depth + 1))
                continue
            name = self._scalar(key) if isinstance(key, yaml.ScalarEvent) else None
            if not isinstance(name, str):
                self._fail(key, "a key must be a text")
            if name in values:
                self._fail(key, f"'{name}' is given twice (first in line {lines[name]})")
            lines[name] = key.start_mark.line + 1
            values[name] = self.node(self._next(), depth + 1)
        for name, (value, line) in merged.items():  # the mapping's own fields come before those
            lines.setdefault(name, line)
            values.setdefault(name, value)
        return Fields(self._source, event.start_mark.line + 1, values, lines) if self._fields else values

    def _merged(self, key: Any, node: Any) -> dict[str, tuple[Any, int]]:
        """What `<<: *mapping` or `<<: [*mapping, ...]` brings in; of several mappings the first counts."""
        sources = node if isinstance(node, list) else [node]
        if not all(isinstance(source, Fields) for source in sources):
            self._fail(key, "'<<' must be a mapping, or a list of them")
        return {
            name: (value, source.line_of(name))
            for source in reversed(sources)
            for name, value in source._values.items()
        }

    def _scalar(self, event: Any) -> Any:
        if event.tag == "tag:yaml.org,2002:str" or (event.tag is None and not event.implicit[0]):
            return event.value
        if event.tag is not None:
            self._fail(event, "YAML tags are not supported here")
        try:
            value = resolve_plain(event.value)
        except OverflowError:
            digits = event.value.replace("_", "")
            return int(digits, 8 if digits[0] == "0" and digits.isdigit() else 0)
        except Ambiguous as error:
            self._fail(event, f"{error} has no certain meaning", "quote it")
        return event.value if type(value) not in (int, float, bool, type(None)) else value
