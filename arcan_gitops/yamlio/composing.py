"""libyaml's events -> values: the part that all readers share, with bounds that no document gets past.

libyaml's own composer recurses without a bound and ends the process on deep nesting; this one does not.
Source: YAML 1.2, chapters 3 and 7; the merge key: https://yaml.org/type/merge.html.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Final, Generic, NoReturn, TypeVar

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

T = TypeVar("T")

_MAX_DEPTH: Final = 100
# What aliases may add to what is written out: a node is 1, and each 64 characters of a scalar are 1 more.
_MAX_REPEATED: Final = 100_000
_CHARACTERS_A_UNIT: Final = 64
_COLLECTION_TAGS: Final = (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class Composer(ABC, Generic[T]):
    """Makes a `T` of each node. A subclass says what scalars, lists and mappings are, and how to fail.

    `refuse` is called with a line (from 1) and must raise; `yaml.YAMLError` and `UnicodeError` come from
    libyaml as they are.
    """

    def __init__(self, data: bytes | str) -> None:
        self._next = CParser(data).get_event
        self._anchored: dict[str, tuple[T, int]] = {}  # with the size of each
        self._size = 0
        self._repeated = 0

    @abstractmethod
    def refuse(self, line: int, problem: str, hint: str | None = None) -> NoReturn:
        """Raise the error of this reader."""

    @abstractmethod
    def scalar(self, event: Any, line: int) -> T:
        """A value that is neither a list nor a mapping."""

    @abstractmethod
    def sequence(self, line: int, items: list[tuple[int, T]]) -> T:
        """A list of (line, item)."""

    @abstractmethod
    def mapping(self, line: int, members: dict[str, tuple[int, T]]) -> T:
        """A mapping: name -> (line of the name, value)."""

    @abstractmethod
    def name(self, event: Any) -> str:
        """The name that a scalar key is; `refuse` where it is none."""

    @abstractmethod
    def members(self, value: T) -> Mapping[str, tuple[int, T]] | None:
        """The members of a mapping, for a merge key; None for everything else."""

    @abstractmethod
    def items(self, value: T) -> list[T] | None:
        """The items of a list, for a merge key; None for everything else."""

    def again(self, value: T) -> T:
        """What an alias is: a copy, where values can change."""
        return value

    def takes_aliases(self) -> bool:
        """Whether anchors, aliases and merge keys are read at all."""
        return True

    def tagged(self, event: Any) -> None:
        """Called for a list or mapping with a tag of its own."""

    def anchored_again(self, event: Any) -> None:
        """Called for an anchor that the document has already."""

    def named_again(self, event: Any, name: str, first: int) -> None:
        """Called for a key that the mapping has already, first in line `first`; the last one counts."""

    def unnamed(self, line: int) -> None:
        """Called for a key that is a mapping or a list; it is left out, with its value."""
        self.refuse(line, "a mapping or a list as a key, as an unquoted {{ gives")

    def merged_over(self, event: Any, name: str) -> None:
        """Called for a key that stands before a merge key which brings the same one."""

    def documents(self) -> Iterator[tuple[int, T]]:
        """(line where it begins, its root) of each document; an empty one is a scalar."""
        while not isinstance(event := self._next(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchored.clear()
                yield self._line(event), self._node(self._next(), 0)

    def _node(self, event: Any, depth: int, line: int | None = None) -> T:
        """`line`: of the key, for a member of a mapping."""
        at = self._line(event) if line is None else line
        if depth > _MAX_DEPTH:
            self.refuse(at, "nested too deeply")
        if event.anchor is None:
            return self._written(event, depth, at)
        if not self.takes_aliases():
            self.refuse(at, "anchors and aliases are not supported here", "write the value out")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, at)
        if event.anchor in self._anchored:
            self.anchored_again(event)
        self._anchored.pop(event.anchor, None)
        before = self._size
        node = self._written(event, depth, at)
        self._anchored[event.anchor] = node, self._size - before
        return node

    def _alias(self, event: Any, line: int) -> T:
        if event.anchor not in self._anchored:
            # its name is not shown: an unquoted password that begins with '*' is one too
            self.refuse(line, "an alias without an anchor above it, or inside of it", "quote a text")
        node, size = self._anchored[event.anchor]
        self._size += size
        self._repeated += size
        if self._repeated > _MAX_REPEATED:
            self.refuse(
                line,
                f"aliases repeat more than {_MAX_REPEATED} values",
                "write out what is meant; such a document may be made to fill the memory of its reader",
            )
        return self.again(node)

    def _written(self, event: Any, depth: int, line: int) -> T:
        self._size += 1
        if isinstance(event, yaml.ScalarEvent):
            self._size += len(event.value) // _CHARACTERS_A_UNIT
            return self.scalar(event, line)
        if event.tag not in _COLLECTION_TAGS:
            self.tagged(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(depth, line)
        items = []
        while not isinstance(item := self._next(), yaml.SequenceEndEvent):
            items.append((self._line(item), self._node(item, depth + 1)))
        return self.sequence(line, items)

    def _mapping(self, depth: int, line: int) -> T:
        own: dict[str, tuple[int, T]] = {}
        merged: dict[str, tuple[int, T]] = {}
        merge_at = 0
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            at = self._line(key)
            if self._is_merge(key):
                if merge_at:  # kubectl takes the last one, Kustomize refuses it
                    self.named_again(key, "<<", merge_at)
                merge_at = at
                brought = self._brought(at, self._node(self._next(), depth + 1))
                for name in brought.keys() & own.keys():
                    self.merged_over(key, name)
                merged = {**brought, **merged}
                continue
            if not isinstance(key, yaml.ScalarEvent):
                self._node(key, depth + 1)
                self.unnamed(at)
                self._node(self._next(), depth + 1)
                continue
            name = self.name(key)
            if name in own:
                self.named_again(key, name, own[name][0])
            own[name] = at, self._node(self._next(), depth + 1, at)
        return self.mapping(line, {**merged, **own} if merged else own)  # its own members come before those

    def _is_merge(self, key: Any) -> bool:
        if not isinstance(key, yaml.ScalarEvent) or not self.takes_aliases():
            return False
        plain = key.tag is None and key.implicit[0] and key.value == "<<"
        return plain or key.tag == "tag:yaml.org,2002:merge"

    def _brought(self, line: int, value: T) -> dict[str, tuple[int, T]]:
        """What `<<: *mapping` or `<<: [*mapping, ...]` brings in; of several mappings the first counts."""
        sources = self.items(value)
        brought: dict[str, tuple[int, T]] = {}
        for source in reversed([value] if sources is None else sources):
            members = self.members(source)
            if members is None:
                self.refuse(line, "'<<' must be a mapping, or a list of them")
            brought |= members
        return brought

    @staticmethod
    def _line(event: Any) -> int:
        line: int = event.start_mark.line + 1
        return line
