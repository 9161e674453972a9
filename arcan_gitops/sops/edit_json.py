"""Edits of a JSON document's text, and new ones in the layout that SOPS writes: a tab a level.

Source: getsops/sops stores/json/store.go; Go's encoding/json, which escapes `<`, `>` and `&`.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from arcan_gitops.sops.edit_flow import FlowText
from arcan_gitops.sops.errors import BadValue
from arcan_gitops.sops.nodes import Mapping, Node, Scalar, Sequence

_INDENT: Final = "\t"
_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_SCALAR: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[-+.0-9A-Za-z]+')
_ESCAPED: Final = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})


def write(value: Any, indent: str | None = _INDENT) -> str:
    """The JSON of a value; without `indent`, on one line. Raises `BadValue` for NaN and infinities."""
    try:
        text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:
        raise BadValue("a value in clear that JSON cannot hold") from None
    return text.translate(_ESCAPED)


class JsonText(FlowText):
    """The text of one JSON document, which the store has read before."""

    def read(self) -> Mapping:
        root, _ = self._node(self._behind_blanks(0))
        assert isinstance(root, Mapping)
        return root

    def written(self, value: Any, at: int) -> str:
        line = self.line_start(at)
        before = self.text[line:at]
        margin = before[: len(before) - len(before.lstrip(" \t"))]
        return write(value, self._indent()).replace("\n", self.newline + margin)

    def written_entry(self, key: str, value: Any, at: int) -> str:
        return f"{write(key)}: {self.written(value, at)}"

    def written_key(self, key: str) -> str:
        return write(key)

    def _indent(self) -> str | None:
        """What stands before the `sops` key; None where the whole document is on one line."""
        key = self.root.entries["sops"][0].start
        before = self.text[self.line_start(key) : key]
        return None if before.strip() else before

    def _node(self, at: int) -> tuple[Node, int]:
        """The node that starts at `at`, and where the next token is."""
        char = self.text[at]
        if char == "{":
            return self._mapping(at)
        if char == "[":
            return self._sequence(at)
        match = _SCALAR.match(self.text, at)
        assert match is not None
        style, value = ('"', json.loads(match[0])) if char == '"' else ("", match[0])
        return Scalar(at, match.end(), style, value), self._behind_blanks(match.end())

    def _mapping(self, start: int) -> tuple[Mapping, int]:
        entries: dict[str, tuple[Scalar, Node]] = {}
        at = self._behind_blanks(start + 1)
        while self.text[at] != "}":
            key, colon = self._node(at)
            assert isinstance(key, Scalar)
            value, at = self._node(self._behind_blanks(colon + 1))
            entries[key.value] = (key, value)
            at = self._behind_comma(at)
        return Mapping(start, at + 1, True, entries), self._behind_blanks(at + 1)

    def _sequence(self, start: int) -> tuple[Sequence, int]:
        items: list[Node] = []
        at = self._behind_blanks(start + 1)
        while self.text[at] != "]":
            item, at = self._node(at)
            items.append(item)
            at = self._behind_comma(at)
        return Sequence(start, at + 1, True, items), self._behind_blanks(at + 1)

    def _behind_comma(self, at: int) -> int:
        return self._behind_blanks(at + 1) if self.text[at] == "," else at

    def _behind_blanks(self, at: int) -> int:
        match = _BLANKS.match(self.text, at)
        assert match is not None
        return match.end()
