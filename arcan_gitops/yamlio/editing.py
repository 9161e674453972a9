"""The round-trip editor."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError as RuamelError

from arcan_gitops.yamlio.fields import InvalidFile


class RoundTrip:
    """A file that is edited as a person would: comments, order and quoting of the rest stay as they are.

    `root` is ruamel.yaml's mapping. Raises `InvalidFile` where the text is not one mapping.
    """

    def __init__(self, data: bytes, source: str) -> None:
        self._yaml = YAML(typ="rt", pure=True)
        self._yaml.preserve_quotes = True
        self._yaml.width = 1_000_000
        mapping, sequence, offset = _indentation(data)
        self._yaml.indent(mapping=mapping, sequence=sequence, offset=offset)
        try:
            root = self._yaml.load(io.BytesIO(data))
        except RuamelError as error:
            mark = getattr(error, "problem_mark", None)
            place = f"{source}:{mark.line + 1}" if mark is not None else source
            raise InvalidFile(f"{place}: not readable as YAML") from None
        except RecursionError:
            raise InvalidFile(f"{source}: nested too deeply") from None
        if not isinstance(root, CommentedMap):
            raise InvalidFile(f"{source}: must be a mapping")
        self.root = root

    def dump(self) -> bytes:
        """The edited text."""
        out = io.BytesIO()
        self._yaml.dump(self.root, out)
        return out.getvalue()


def one_line(value: Any) -> Any:
    """A mapping or list that is to stand in one line, `{a: [b]}`, as a part of a file that is edited."""
    made: Any
    if isinstance(value, Mapping):
        made = CommentedMap({name: one_line(item) for name, item in value.items()})
    elif isinstance(value, list | tuple):
        made = CommentedSeq(map(one_line, value))
    else:
        return value
    made.fa.set_flow_style()
    return made


def _indentation(data: bytes) -> tuple[int, int, int]:
    """(mapping, sequence, offset) as the file's first list under a key is written; (2, 4, 2) without one."""
    previous = b""
    for line in data.splitlines():
        stripped = line.lstrip(b" ")
        if not stripped or stripped.startswith(b"#"):
            continue
        if stripped.startswith(b"- ") and previous.rstrip().endswith(b":"):
            dash = len(line) - len(stripped)
            parent = len(previous) - len(previous.lstrip(b" "))
            offset = max(0, dash - parent)
            return 2, offset + 2, offset
        previous = line
    return 2, 4, 2
