"""YAML that this project owns: one strict reader, one deterministic emitter, one round-trip editor.

(SOPS documents are read by `arcan_gitops.sops`, whose rules are SOPS's and not ours.)
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn, TypeVar

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError as RuamelError
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from arcan_gitops.errors import ArcanError
from arcan_gitops.goyaml import Ambiguous, resolve_plain
from arcan_gitops.names import InvalidName, did_you_mean, nearest

T = TypeVar("T")
_MAX_DEPTH: Final = 100


class InvalidFile(ArcanError):
    """A file that is not what it has to be; the message starts with `file:line:`."""


class _Items(list[Any]):
    """A list of a file, with the line of each item."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []


class Fields:
    """One mapping of a file, with the line of each field, so that an error can point at it.

    Every accessor raises `InvalidFile`. `done()` refuses the fields that nobody asked for.
    """

    def __init__(self, source: str, line: int, values: Mapping[str, Any], lines: Mapping[str, int]) -> None:
        self.source = source
        self.line = line
        self._values = values
        self._lines = lines
        self._asked: set[str] = set()

    def fail(self, problem: str, *, field: str | None = None, hint: str | None = None) -> NoReturn:
        """Raise `InvalidFile` at this mapping, or at one of its fields."""
        line = self._lines.get(field, self.line) if field is not None else self.line
        raise InvalidFile(f"{self.source}:{line}: {problem}", hint=hint)

    def __contains__(self, field: str) -> bool:
        return field in self._values

    def names(self) -> tuple[str, ...]:
        """The names of all fields, in file order."""
        return tuple(self._values)

    def line_of(self, field: str) -> int:
        """The line of a field, or of the mapping if it has no such field."""
        return self._lines.get(field, self.line)

    def _get(self, field: str) -> Any:
        self._asked.add(field)
        return self._values.get(field)

    def _wrong(self, field: str, wanted: str) -> NoReturn:
        self.fail(f"'{field}' must be {wanted}", field=field)

    def done(self) -> None:
        """Refuse unknown fields, which are those that nobody asked for, naming the one probably meant."""
        self.only(*self._asked)

    def only(self, *known: str) -> None:
        """The same before anything is asked, so that a misspelt field is not reported as a missing one."""
        for field in self._values:
            if field not in known:
                near = nearest(field, known)
                hint = f"did you mean '{near}'?" if near else f"known fields: {', '.join(sorted(known))}"
                self.fail(f"unknown field '{field}'", field=field, hint=hint)

    def optional_text(self, field: str) -> str | None:
        """A string, or None where the field is missing."""
        value = self._get(field)
        if value is None and field not in self._values:
            return None
        if not isinstance(value, str):
            self._wrong(field, "a text (quote it if it looks like a number, a date or a boolean)")
        return value

    def text(self, field: str, default: str | None = None) -> str:
        """A string; without a default, the field is required."""
        value = self.optional_text(field)
        if value is None:
            if default is None:
                self.fail(f"'{field}' is missing")
            return default
        return value

    def flag(self, field: str, default: bool = False) -> bool:
        """A boolean."""
        value = self._get(field)
        if field not in self._values:
            return default
        if not isinstance(value, bool):
            self._wrong(field, "true or false")
        return value

    def integer(self, field: str, default: int | None = None) -> int:
        """An integer; without a default, the field is required."""
        value = self._get(field)
        if field not in self._values:
            if default is None:
                self.fail(f"'{field}' is missing")
            return default
        if not isinstance(value, int) or isinstance(value, bool):
            self._wrong(field, "an integer")
        return value

    def optional_texts(self, field: str) -> tuple[str, ...] | None:
        """A list of strings, or None where the field is missing."""
        value = self._get(field)
        if field not in self._values:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._wrong(field, "a list of texts")
        return tuple(value)

    def is_mapping(self, field: str) -> bool:
        """Whether the field is there and is a mapping."""
        self._asked.add(field)
        return isinstance(self._values.get(field), Fields)

    def is_text(self, field: str) -> bool:
        """Whether the field is there and is a string."""
        self._asked.add(field)
        return isinstance(self._values.get(field), str)

    def optional_mapping(self, field: str) -> Fields | None:
        """A nested mapping, or None where the field is missing."""
        value = self._get(field)
        if field not in self._values:
            return None
        if not isinstance(value, Fields):
            self._wrong(field, "a mapping")
        return value

    def items(self, field: str) -> tuple[Any, ...]:
        """A list whose items are texts, numbers, or `Fields`; empty where the field is missing."""
        value = self._get(field)
        if field not in self._values:
            return ()
        if not isinstance(value, list):
            self._wrong(field, "a list")
        return tuple(value)

    def item_lines(self, field: str) -> tuple[int, ...]:
        """The line of each of the `items` of a list."""
        value = self._get(field)
        return tuple(value.lines) if isinstance(value, _Items) else ()

    def mappings(self, field: str) -> tuple[Fields, ...]:
        """A list of nested mappings; empty where the field is missing."""
        items = self.items(field)
        for item in items:
            if not isinstance(item, Fields):
                self._wrong(field, "a list of mappings")
        return items

    def parse(self, field: str, parser: type[Any], text: str) -> Any:
        """`parser.parse(text)`, a bad name pointing at the field."""
        try:
            return parser.parse(text)
        except InvalidName as error:
            self.fail(error.message, field=field, hint=error.hint)


def read_mapping(data: bytes, source: str, *, aliases: bool = False) -> Fields:
    """The one YAML document of a file, which must be a mapping.

    Plain scalars mean what they mean to go-yaml; timestamps stay texts. Duplicate keys, tags and a second
    document are errors; so are anchors, aliases and merge keys, unless `aliases` (an alias is then the very
    object that its anchor made, so that none can fill the memory). Raises `InvalidFile`.
    """
    documents = list(_documents(data, source, fields=True, aliases=aliases))
    if len(documents) != 1:
        problem = "is empty" if not documents else "has more than one YAML document"
        raise InvalidFile(f"{source}: {problem}")
    if not isinstance(documents[0], Fields):
        raise InvalidFile(f"{source}:1: must be a mapping")
    return documents[0]


def read_documents(data: bytes, source: str) -> list[Any]:
    """All YAML documents of a file as plain dicts, lists and scalars; empty documents are left out.

    As strict as `read_mapping`; for manifests, whose fields are Kubernetes's to judge. Raises `InvalidFile`.
    """
    return [document for document in _documents(data, source, fields=False) if document is not None]


def read_foreign(data: bytes, source: str) -> Any:
    """The one document of a file whose rules are another program's: anchors and unknown fields are fine.

    Raises `InvalidFile`.
    """
    try:
        return yaml.load(data, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, AttributeError) as error:  # the last two: a bad timestamp or number
        mark: Any = getattr(error, "problem_mark", None)
        place = f"{source}:{mark.line + 1}" if mark is not None else source
        raise InvalidFile(f"{place}: not readable as YAML") from None


def _documents(data: bytes, source: str, *, fields: bool, aliases: bool = False) -> Iterator[Any]:
    try:
        parser = CParser(data)
        composer = _Composer(parser, source, fields, aliases)
        while not isinstance(event := parser.get_event(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                yield composer.node(parser.get_event(), 0)
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        place = f"{source}:{mark.line + 1}" if mark is not None else source
        problem = getattr(error, "problem", None) or "not readable as YAML"
        raise InvalidFile(f"{place}: {problem}") from None
    except UnicodeError:  # in an escape that libyaml takes and Python does not
        raise InvalidFile(f"{source}: not UTF-8") from None


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
            items = _Items()
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


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    if style is None:
        try:
            # PyYAML leaves these four out of YAML 1.1's booleans; go-yaml v2, and so kubectl, does not
            plain = type(resolve_plain(text)) is str and text not in ("y", "Y", "n", "N")
            style = None if plain and "{{" not in text else "'"  # a template is quoted so that it stands out
        except (Ambiguous, OverflowError):
            style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def emit(documents: Iterable[Mapping[str, Any]]) -> str:
    """YAML text of the documents, the same for the same input: block style, keys in the order given.

    A string that a Go or a YAML 1.1 reader would take for something else is quoted. `---` separates.
    """
    return yaml.dump_all(
        documents,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        width=1_000_000,
        explicit_start=True,
    )


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
        if not isinstance(root, CommentedMap):
            raise InvalidFile(f"{source}: must be a mapping")
        self.root = root

    def dump(self) -> bytes:
        """The edited text."""
        out = io.BytesIO()
        self._yaml.dump(self.root, out)
        return out.getvalue()


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


def one_of(fields: Fields, field: str, text: str, known: Sequence[str]) -> str:
    """`text` if it is known, else `InvalidFile` with the nearest."""
    if text not in known:
        fields.fail(f"{field} '{text}' is not known", field=field, hint=did_you_mean(text, known))
    return text
