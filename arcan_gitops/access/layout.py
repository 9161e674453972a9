"""A tokens file as lines: where each entry stands, so that an edit touches those lines and no other byte.

(ruamel.yaml hangs the comment above an entry on the entry before it: removing an entry through it removes
the next one's comment and keeps the wrong one. Lines do not have that problem.)
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from arcan_gitops.yamlio import Fields, emit, read_mapping
from arcan_gitops.yamlio.editing import RoundTrip

_DASH: Final = re.compile(rb"( *)-(?=\s)")
_SCALAR: Final = rb"""(?:"[^"\\]*"|'[^']*'|[^\s"'#{\[]\S*)"""
_ITEM: Final = re.compile(rb"""^( *)- +(""" + _SCALAR + rb""")(?=\s*(?:\s#.*)?$)""")


class Unusual(Exception):
    """The file is written in a way that this module does not edit; `as_block` writes it in the usual one."""


@dataclass(frozen=True, slots=True)
class _Span:
    start: int  # index of the line with the dash
    stop: int  # index after the entry's last line
    indent: int  # columns before the dash
    fields: Fields


class Layout:
    """The lines of a valid tokens file, and the entries of one `section` of it, `tokens` or `accounts`, which
    is added at the end if it is not there. Each edit raises `Unusual` where the style is not the usual one.

    An edit is a guess by indentation: the caller reads the result and compares.
    """

    def __init__(self, data: bytes, source: str, section: str) -> None:
        self._lines = data.splitlines(keepends=True)
        if len(self._lines) != len(_text(data).splitlines()):
            raise Unusual  # YAML ends a line at U+2028 too, and counts it
        self._newline = b"\r\n" if self._lines[0].endswith(b"\r\n") else b"\n"
        if not self._lines[-1].endswith((b"\n", b"\r")):
            self._lines[-1] += self._newline
        if section not in read_mapping(data, source):
            self._lines.append(f"{section}: []".encode("ascii") + self._newline)
        root = read_mapping(self.data(), source)
        self._section = section.encode("ascii")
        self._start = root.line_of(section) - 1
        self._spans = self._find(root.mappings(section))

    def _find(self, entries: Sequence[Fields]) -> list[_Span]:
        dashes = [self._dash(entry.line - 1) for entry in entries]
        limits = [start for start, _ in dashes[1:]] + [len(self._lines)]
        return [
            _Span(start, self._end(start, limit, indent), indent, entry)
            for entry, (start, indent), limit in zip(entries, dashes, limits, strict=False)
        ]

    def _dash(self, number: int) -> tuple[int, int]:
        """Line and column of the dash of the entry whose first field is in that line."""
        dash = _DASH.match(self._lines[number])
        while dash is None:
            number -= 1
            line = self._lines[number]
            dash = _DASH.match(line)
            if number <= self._start or (dash is None and line.strip() and not _is_comment(line)):
                raise Unusual
        return number, len(dash[1])

    def _end(self, start: int, limit: int, indent: int) -> int:
        stop = start + 1
        for number in range(start + 1, limit):
            line = self._lines[number]
            if not line.strip() or _is_comment(line):
                continue
            if len(line) - len(line.lstrip(b" ")) <= indent:
                break
            stop = number + 1
        return stop

    def data(self) -> bytes:
        """The file."""
        return b"".join(self._lines)

    def append(self, plain: dict[str, Any]) -> None:
        """Write an entry after the last one."""
        indent = self._spans[-1].indent if self._spans else 2
        text = emit([{"entries": [plain]}]).split("entries:\n", 1)[1]
        lines = textwrap.indent(text, " " * indent).encode("utf-8").splitlines()
        if self._spans:
            at = self._spans[-1].stop
        else:
            self._replace(self._start, _no_entries(self._section), rb"\1")
            at = self._start + 1
        self._lines[at:at] = [line + self._newline for line in lines]

    def remove(self, indexes: Sequence[int]) -> None:
        """Take out entries, by position, each with the comment directly above it."""
        if len(indexes) == len(self._spans):
            self._replace(self._start, _entries(self._section), rb"\1 []")
        for index in sorted(indexes, reverse=True):
            span = self._spans[index]
            start = span.start
            while _is_comment(self._lines[start - 1]):
                start -= 1
            while not self._lines[start - 1].strip():
                start -= 1
            del self._lines[start : span.stop]

    def set_text(self, index: int, field: str, text: str, *, after: str) -> None:
        """Give a field of an entry, by position, the value `text`; a new field goes under `after`.

        The last edit of a layout: positions are not adjusted.
        """
        entry = self._spans[index].fields
        if field in entry:
            number = entry.line_of(field) - 1
            self._replace(number, _field(field), rb"\1\2\3'" + text.encode("ascii") + b"'")
            return
        number = entry.line_of(after) - 1
        found = _field(after).match(self._lines[number])
        if found is None:
            raise Unusual
        line = b" " * len(found[1] + found[2]) + f"{field}: '{text}'".encode("ascii") + self._newline
        self._lines.insert(number + 1, line)

    def set_list(self, index: int, field: str, items: Sequence[str] | None, *, after: str) -> None:
        """Give a field of an entry, by position, these items, or (None) take the field out.

        Items that stay keep their lines, and so their comments; new ones follow them. A new field goes under
        `after`. The last edit of a layout: positions are not adjusted.
        """
        span = self._spans[index]
        entry = span.fields
        if field not in entry:
            assert items is not None
            start, stop, column = self._field_lines(span, after)
            self._lines[stop:stop] = self._list_lines(field, items, column)
            return
        start, stop, column = self._field_lines(span, field)
        if items is None:
            dash = self._lines[start][:column]
            del self._lines[start:stop]
            if start == span.start:  # the dash of the entry goes to the field that follows
                follows = self._lines[start] if start < span.stop - (stop - start) else b""
                if follows[: column + 1].strip(b" ") == b"" or _is_comment(follows):
                    raise Unusual
                self._lines[start] = dash + follows[column:]
        elif stop == start + 1:
            self._replace(start, _flow(field), rb"\1\2\3" + _flow_items(items))
        else:
            self._lines[start + 1 : stop] = self._changed_items(start + 1, stop, items)

    def _field_lines(self, span: _Span, field: str) -> tuple[int, int, int]:
        """(first line, line after the last, column) of a field, without the comments that follow it."""
        start = span.fields.line_of(field) - 1
        found = _key(field).match(self._lines[start])
        if found is None:
            raise Unusual
        column, stop = len(found[1] + found[2]), start + 1
        for number in range(start + 1, span.stop):
            line = self._lines[number]
            if not line.strip() or _is_comment(line):
                continue
            indent = len(line) - len(line.lstrip(b" "))
            if indent < column or (indent == column and _DASH.match(line) is None):
                break
            stop = number + 1
        return start, stop, column

    def _list_lines(self, field: str, items: Sequence[str], column: int) -> list[bytes]:
        text = emit([{field: list(items)}]).removeprefix("---\n")
        lines = textwrap.indent(text, " " * column).encode("utf-8").splitlines()
        return [line + self._newline for line in lines]

    def _changed_items(self, start: int, stop: int, items: Sequence[str]) -> list[bytes]:
        """The lines of a block list, one item a line, for these items."""
        kept, known, at = [], [], 0
        indent = b""
        for line in self._lines[start:stop]:
            found = _ITEM.match(line)
            if found is None and line.strip() and not _is_comment(line):
                raise Unusual
            if found is not None:
                text = found[2].strip(b"\"'").decode("utf-8")
                indent = found[1]
                if text not in items:
                    continue
                known.append(text)
            kept.append(line)
            at = len(kept) if found is not None else at
        new = [item for item in items if item not in known]
        lines = self._list_lines("items", new, 0)[1:] if new else []
        kept[at:at] = [indent + line.lstrip(b" ") for line in lines]
        return kept

    def _replace(self, number: int, pattern: re.Pattern[bytes], by: bytes) -> None:
        line, count = pattern.subn(by, self._lines[number], count=1)
        if not count:
            raise Unusual
        self._lines[number] = line


def as_block(data: bytes, source: str) -> bytes:
    """The same file in block style, one field a line, comments kept."""
    file = RoundTrip(data, source)
    sections = [file.root[name] for name in ("tokens", "accounts") if file.root.get(name)]
    entries = [entry for section in sections for entry in section]
    lists = [value for entry in entries for value in entry.values() if isinstance(value, list)]
    for node in (file.root, *sections, *entries, *lists):
        node.fa.set_block_style()
    return file.dump()


def _no_entries(section: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"""(["']?""" + section + rb"""["']? *:) *\[ *\]""")


def _entries(section: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"""(["']?""" + section + rb"""["']? *:)(?=\s*(?:#.*)?$)""")


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Unusual from None  # YAML may also be UTF-16


def _is_comment(line: bytes) -> bool:
    # sure in a valid tokens file: no value in it may have a line break or a '#'
    return line.lstrip().startswith(b"#")


def _key(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"""^( *)((?:- +)?)(["']?""" + name.encode("ascii") + rb"""["']? *:)(?=\s)""")


def _flow(name: str) -> re.Pattern[bytes]:
    """A field with a list in brackets that ends in its line."""
    quoted = rb"""(["']?""" + name.encode("ascii") + rb"""["']? *: +)"""
    return re.compile(rb"^( *)((?:- +)?)" + quoted + rb"\[[^][#]*\](?=\s*(?:\s#.*)?$)")


def _flow_items(items: Sequence[str]) -> bytes:
    """In quotes, for a glob has characters that mean something in brackets."""
    return b"[" + b", ".join(b"'" + item.encode("ascii") + b"'" for item in items) + b"]"


def _field(name: str) -> re.Pattern[bytes]:
    quoted = rb"""(["']?""" + name.encode("ascii") + rb"""["']? *: +)"""
    return re.compile(rb"^( *)((?:- +)?)" + quoted + _SCALAR + rb"(?=\s*(?:\s#.*)?$)")
