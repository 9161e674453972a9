"""Edits of a dotenv document's lines, and new ones as SOPS writes them: the metadata last, sorted.

Source: getsops/sops stores/dotenv/store.go, stores/flatten.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from arcan_gitops.sops.edit_flow import RawPath, Splice, splice
from arcan_gitops.sops.errors import BadValue, CannotEdit

_METADATA: Final = "sops_"
_COMMENT: Final = re.compile(r"(?m)^#(ENC\[AES256_GCM,[^\n]*,type:comment\])$")
_KEY: Final = re.compile(r"(?!sops_|#)[^=\n]+")


def lines_of(tree: dict[str, Any], block: dict[str, Any]) -> list[str]:
    """The lines of a new document. Raises `BadValue` for what a line cannot hold."""
    return [line(key, value) for key, value in tree.items()] + metadata_lines(block)


def line(key: str, value: Any) -> str:
    """`KEY=VALUE`; a line break in the value is written `\\n`, and nothing is quoted."""
    if not _KEY.fullmatch(key):
        raise BadValue("a key that dotenv cannot hold: it has '=', starts with '#' or 'sops_', or is empty")
    if type(value) is not str or "\\n" in value:
        raise BadValue("a value that dotenv cannot hold: it is not text, or has a backslash before an 'n'")
    return f"{key}={_escaped(value)}"


def metadata_lines(block: dict[str, Any]) -> list[str]:
    """The `sops_...` lines of metadata, or of a part of it."""
    return sorted(f"{_METADATA}{name}={_escaped(text)}" for name, text in _flattened(block))


class DotenvText:
    """The lines of one dotenv document, which the store has read before."""

    def __init__(self, data: bytes) -> None:
        self.text = data.decode("utf-8", "surrogateescape")
        self._lines: dict[str, tuple[int, int]] = {}
        at = 0
        for text in self.text.split("\n"):
            if text and not text.startswith("#"):
                self._lines[text.partition("=")[0]] = (at, at + len(text))
            at += len(text) + 1

    def data(self) -> bytes:
        """The bytes of the file."""
        return self.text.encode("utf-8", "surrogateescape")

    def spliced(self, splices: Iterable[Splice]) -> bytes:
        """The bytes of the file with all splices made; they must not overlap."""
        return splice(self.text, splices).encode("utf-8", "surrogateescape")

    def replace(self, path: RawPath, value: Any) -> list[Splice]:
        """Replace the value of a key, a field of the metadata, or all of the metadata."""
        if path[0] == "sops":
            return self._replace_metadata(value if len(path) == 1 else {str(path[1]): value}, path[1:])
        key = str(path[0])
        start, end = self._lines[key]
        behind = len(key) + 1
        return [Splice(start + behind, end, line(key, value)[behind:])]

    def _replace_metadata(self, block: dict[str, Any], path: RawPath) -> list[Splice]:
        """The new lines where the first of the old ones was; they are sorted, and so stand together."""
        name = f"{_METADATA}{path[0]}" if path else ""
        old = [
            span
            for key, span in self._lines.items()
            if (key == name or key.startswith(f"{name}__") if path else key.startswith(_METADATA))
        ]
        return [Splice(*old[0], "\n".join(metadata_lines(block))), *(self._whole(span) for span in old[1:])]

    def insert(self, path: RawPath, key: str | None, value: Any) -> list[Splice]:
        """A new key before the metadata, or, where that is not last, behind the last key."""
        if path or key is None:
            raise CannotEdit("a dotenv document has neither maps nor lists")
        spans = [span for name, span in self._lines.items() if not name.startswith(_METADATA)]
        first = min(span[0] for name, span in self._lines.items() if name.startswith(_METADATA))
        if spans and spans[-1][0] > first:
            return [Splice(spans[-1][1], spans[-1][1], "\n" + line(key, value))]
        return [Splice(first, first, line(key, value) + "\n")]

    def remove(self, path: RawPath) -> list[Splice]:
        """Remove a key."""
        return [self._whole(self._lines[str(path[0])])]

    def rename(self, path: RawPath, name: str) -> list[Splice]:
        """Rename a key."""
        line(name, "")
        start, _ = self._lines[str(path[0])]
        return [Splice(start, start + len(str(path[0])), name)]

    def comments(self) -> Iterator[tuple[int, int, str]]:
        """(start, end, `ENC[...]`) of each encrypted comment."""
        return ((*match.span(1), match[1]) for match in _COMMENT.finditer(self.text))

    def _whole(self, span: tuple[int, int]) -> Splice:
        """The line away, and its line break."""
        start, end = span
        if end < len(self.text):
            return Splice(start, end + 1, "")
        return Splice(max(start - 1, 0), end, "")


def _flattened(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _flattened(child, f"{name}__map_{key}" if name else key)
    elif isinstance(value, list):
        for at, child in enumerate(value):
            yield from _flattened(child, f"{name}__list_{at}")
    else:
        yield name, ("true" if value else "false") if isinstance(value, bool) else str(value)


def _escaped(text: str) -> str:
    return text.replace("\n", "\\n")
