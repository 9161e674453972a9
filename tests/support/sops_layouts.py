"""Trees, and the same encrypted document laid out in all the ways in which people and formatters leave one."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st

from arcan_gitops.sops import Timestamp

# texts that YAML, its readers or SOPS could take for something else
ODD = [
    "", "true", "yes", "n", "null", "~", "123", "0x1F", "1e3", "1_000", "08", "12:30:45", "2024-01-02", ".inf",
    "a: b", "a #b", "# c", "- d", "? e", ": f", "[g", "{h", "]", "}", ",", "&i", "*j", "!k", "|", ">", "%l", "@m",
    "`n", "'o'", '"p"', "'", '"', "\\", " q", "r ", "\ts", "t\tu", "a\nb", "a\n", "\na", "a\n\n", "a\r\nb", " a\nb",
    "a \nb", "\u00e9", "\u6f22\u5b57", "\U0001f389", "\u2028", "\x85", "\ufeffx", "\x01", "\x7f", "<<", "=", "sops",
    "ENC[", "#ENC[AES256_GCM,x", "---", "...", "--- a", "a:", "-", "?", "0o17", "-0", "+1", "1.", "a,b", "x" * 200,
]  # fmt: skip
# Sops itself writes these so that it cannot read them: line breaks that are none to YAML 1.2, lines that start
# with a tab, and, as items of lists, lines that start with a blank.
BROKEN = re.compile("[\x85\u2028\u2029]|^\t.*\n", re.DOTALL)
BROKEN_ITEM = re.compile("^(?=[ \n]).*\n", re.DOTALL)
texts = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.sampled_from(["A", "DATABASE_URL", "b.c", "d e", "f:g", "y", "123", "\u00fc", "true", "#h", "-i"])
keys = names | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\x85\u2028\u2029"), max_size=8
).filter(lambda key: key != "<<")  # which YAML takes for a merge key, of maps alone
scalars = (
    texts
    | st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False).filter(lambda x: x != 0 or str(x) == "0.0")
    | st.sampled_from(["2024-01-02T00:00:00Z", "2024-01-02T03:04:05.12+02:00"]).map(Timestamp)
)
values = st.recursive(
    scalars, lambda v: st.lists(v, max_size=4) | st.dictionaries(keys, v, max_size=4), max_leaves=8
)
trees = st.dictionaries(keys.filter(lambda key: key != "sops"), values, min_size=1, max_size=5)


class Layout:
    """Writes a tree with choices drawn for each node: block or flow, quotes, indentation, comments, blanks."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw
        self._step = draw(st.integers(1, 5))
        self._plain = draw(st.booleans())  # as a formatter does: no comments, no flow, one quote

    def _choose(self, *choices: Any) -> Any:
        return choices[0] if self._plain else self._draw(st.sampled_from(choices))

    def document(self, tree: dict[str, Any]) -> bytes:
        """The bytes of the file."""
        lines = self._block(tree, 0)
        if not self._plain:
            lines = self._draw(st.sampled_from([[], ["---"], ["# top"], ["", "# top", ""]])) + lines
            lines += self._draw(st.sampled_from([[], ["# end"], ["..."], [""], ["", "# end", ""]]))
        newline = self._draw(st.sampled_from(["\n", "\r\n"]))
        text = newline.join(line for part in lines for line in part.split("\n"))
        return (text + newline * self._draw(st.booleans())).encode()

    def _block(self, value: Any, column: int) -> list[str]:
        lines: list[str] = []
        pad = " " * column
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            lines += self._choose([], [], [], [f"{pad}# a comment: here"], ["", f"{pad}# - other"], [""])
            if isinstance(value, list):
                lines += self._item(child, column)
            else:
                lines += self._entry(key, child, column)
        lines += self._choose([], [], [], [f"{pad}# last"] if column else [])
        return lines

    def _entry(self, key: str, child: Any, column: int) -> list[str]:
        pad, name = " " * column, self._key(key)
        tail = self._choose("", "", " # why", "   ")
        if isinstance(child, (dict, list)) and child and self._choose(True, True, False):
            compact = isinstance(child, list) and self._choose(False, True)
            return [f"{pad}{name}:{tail}", *self._block(child, column + (0 if compact else self._step))]
        if _is_armor(child):
            body = [" " * (column + self._step) + line for line in child.rstrip("\n").split("\n")]
            return [f"{pad}{name}: |", *body]
        gap = self._choose(" ", " ", "  ", f"\n{pad}  ")
        return [f"{pad}{name}:{gap}{self._flow(child, block=True)}{tail}"]

    def _item(self, child: Any, column: int) -> list[str]:
        pad = " " * column
        if isinstance(child, (dict, list)) and child and self._choose(True, True, False):
            if self._choose(True, True, False):
                first, *rest = _without_blanks(self._block(child, column + 2))
                return [f"{pad}- {first[column + 2 :]}", *rest]
            return [f"{pad}-{self._choose('', ' # item')}", *self._block(child, column + self._step)]
        return [f"{pad}- {self._flow(child, block=True)}{self._choose('', ' # item', ' ')}"]

    def _flow(self, value: Any, block: bool = False) -> str:
        if isinstance(value, dict):
            inner = [f"{quoted(key)}: {self._flow(child)}" for key, child in value.items()]
            return "{" + self._choose("", " ") + self._choose(", ", ",", ",\n            ").join(inner) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self._flow, value)) + self._choose("", "," if value else "") + "]"
        if isinstance(value, bool) or value is None:
            return {True: "true", False: "false", None: self._choose("null", "~", "Null")}[value]
        if isinstance(value, str) and value.startswith("ENC["):
            return self._draw(st.sampled_from([value] * block + [f'"{value}"', f"'{value}'"]))
        return quoted(value) if type(value) is str else str(value).replace("inf", ".inf")

    def _key(self, key: str) -> str:
        simple = key.isascii() and key.isidentifier() and key.lower() not in ("true", "false", "null")
        return self._choose(key, f"'{key}'", f'"{key}"') if simple else quoted(key)


def _is_armor(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("-----BEGIN AGE")


def _without_blanks(lines: list[str]) -> list[str]:
    """A block that can stand behind a dash: its first line is a key or a dash."""
    while not lines[0].strip() or lines[0].lstrip().startswith("#"):
        lines = lines[1:]
    return lines


def quoted(text: str) -> str:
    """A text as YAML in double quotes, whatever is in it."""
    plain = (
        char if char.isascii() and (char.isalnum() or char in "-:._") else f"\\U{ord(char):08x}"
        for char in text
    )
    return f'"{"".join(plain)}"'
