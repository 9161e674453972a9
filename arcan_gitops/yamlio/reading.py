"""The strict readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import yaml

from arcan_gitops.golang.yaml import Ambiguous, resolve_plain
from arcan_gitops.yamlio.composing import Composer
from arcan_gitops.yamlio.faults import Fault, conflict, directive, encoding_fault, not_one, unreadable
from arcan_gitops.yamlio.fields import Fields, InvalidFile, Items
from arcan_gitops.yamlio.templates import likely_template


def read_mapping(data: bytes, source: str, *, aliases: bool = False) -> Fields:
    """The one YAML document of a file, which must be a mapping.

    Plain scalars mean what they mean to go-yaml; timestamps stay texts. Duplicate keys, tags and a second
    document are errors; so are anchors, aliases and merge keys, unless `aliases`: a file that says who may
    read what must show it in each line. Raises `InvalidFile`.
    """
    found = list(_documents(_FieldsComposer(data, source, aliases), data, source))
    if (fault := not_one([(line, node is None) for line, node in found])) is not None:
        raise _invalid(source, fault)
    [(line, node)] = found
    if not isinstance(node, Fields):
        raise _no_mapping(data, source, line)
    return node


def read_documents(data: bytes, source: str) -> list[Any]:
    """All YAML documents of a file as plain dicts, lists and scalars; empty documents are left out.

    As strict as `read_mapping`. Raises `InvalidFile`.
    """
    composer = _PlainComposer(data, source, aliases=False)
    return [node for _, node in _documents(composer, data, source) if node is not None]


def read_objects(data: bytes, source: str) -> list[Any]:
    """The documents of a file of manifests, as the API server gets them.

    As `read_documents`, with anchors, aliases and merge keys; and a member of a mapping without a value
    (`annotations:`) is absent, as it is to the API server. Raises `InvalidFile`, which names a template of
    Helm or Jinja as what it is.
    """
    if (fault := encoding_fault(data) or directive(data)) is not None:
        raise _invalid(source, fault)
    composer = _PlainComposer(data, source, aliases=True, nulls=False)
    try:
        return [node for _, node in _documents(composer, data, source) if node is not None]
    except InvalidFile:
        template = likely_template(data.decode("utf-8", "replace")) if unreadable(data) is None else None
        if template is None:
            raise
        hint = "give what it renders to, as the output of 'helm template CHART' for a chart"
        raise InvalidFile(f"{source}:{template.line}: {template.problem}", hint=hint) from None


def read_foreign(data: bytes, source: str) -> Any:
    """The one document of a file whose rules are another program's: tags and repeated keys are fine.

    Raises `InvalidFile`.
    """
    found = list(_documents(_ForeignComposer(data, source, aliases=True), data, source))
    if len(found) > 1:
        raise InvalidFile(f"{source}:{found[1][0]}: has more than one YAML document")
    return found[0][1] if found else None


def read_foreign_mapping(data: bytes, source: str) -> Fields:
    """The first document of another program's file, which must be a mapping, with its lines.

    As Go's decoder reads it into a struct: tags, keys that are no texts and further documents are fine, a
    field without a value is absent, and a repeated one is an error. Raises `InvalidFile`.
    """
    for line, node in _documents(_ForeignFieldsComposer(data, source, aliases=True), data, source):
        if isinstance(node, Fields):
            return node
        raise _invalid(source, Fault(line, "is empty")) if node is None else _no_mapping(data, source, line)
    raise InvalidFile(f"{source}:1: is empty")


def _documents(composer: Composer[Any], data: bytes, source: str) -> Iterator[tuple[int, Any]]:
    """(line where it begins, its root) of each document."""
    try:
        yield from composer.documents()
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


def _no_mapping(data: bytes, source: str, line: int) -> InvalidFile:
    """A marker of a conflict may be all that is there: to YAML it is a text."""
    return _invalid(source, conflict(data) or Fault(line, "must be a mapping"))


def _invalid(source: str, fault: Fault) -> InvalidFile:
    return InvalidFile(f"{source}:{fault.line}: {fault.problem}", hint=fault.hint)


class _StrictComposer(Composer[Any]):
    def __init__(self, data: bytes, source: str, aliases: bool) -> None:
        super().__init__(data)
        self._source = source
        self._aliases = aliases

    def refuse(self, line: int, problem: str, hint: str | None = None) -> NoReturn:
        raise InvalidFile(f"{self._source}:{line}: {problem}", hint=hint)

    def takes_aliases(self) -> bool:
        return self._aliases

    def tagged(self, event: Any) -> None:
        self.refuse(self._line(event), "YAML tags are not supported here")

    def named_again(self, event: Any, name: str, first: int) -> None:
        self.refuse(self._line(event), f"'{name}' is given twice (first in line {first})")

    def name(self, event: Any) -> str:
        name = self.scalar(event, self._line(event))
        if not isinstance(name, str):
            self.refuse(self._line(event), "a key must be a text")
        return name

    def scalar(self, event: Any, line: int) -> Any:
        if event.tag == "tag:yaml.org,2002:str" or (event.tag is None and not event.implicit[0]):
            return event.value
        if event.tag is not None:
            self.tagged(event)
        try:
            value = resolve_plain(event.value)
        except OverflowError:
            digits = event.value.replace("_", "")
            return int(digits, 8 if digits[0] == "0" and digits.isdigit() else 0)
        except Ambiguous as error:
            self.refuse(line, f"{error} has no certain meaning", "quote it")
        return event.value if type(value) not in (int, float, bool, type(None)) else value


class _FieldsComposer(_StrictComposer):
    """Mappings as `Fields` and lists as `Items`, which know their lines."""

    def sequence(self, line: int, items: list[tuple[int, Any]]) -> Any:
        return Items(items)

    def mapping(self, line: int, members: dict[str, tuple[int, Any]]) -> Any:
        values = {name: value for name, (_, value) in members.items()}
        return Fields(self._source, line, values, {name: at for name, (at, _) in members.items()})

    def members(self, value: Any) -> Mapping[str, tuple[int, Any]] | None:
        return value.members() if isinstance(value, Fields) else None

    def items(self, value: Any) -> list[Any] | None:
        return value if isinstance(value, Items) else None

    def again(self, value: Any) -> Any:
        return value.again() if isinstance(value, Fields | Items) else value


class _PlainComposer(_StrictComposer):
    """Mappings as dicts and lists as lists; without `nulls`, a member that is null is left out."""

    def __init__(self, data: bytes, source: str, aliases: bool, nulls: bool = True) -> None:
        super().__init__(data, source, aliases)
        self._nulls = nulls

    def sequence(self, line: int, items: list[tuple[int, Any]]) -> Any:
        return [item for _, item in items]

    def mapping(self, line: int, members: dict[str, tuple[int, Any]]) -> Any:
        return {name: value for name, (_, value) in members.items() if self._nulls or value is not None}

    def members(self, value: Any) -> Mapping[str, tuple[int, Any]] | None:
        return {name: (0, member) for name, member in value.items()} if isinstance(value, dict) else None

    def items(self, value: Any) -> list[Any] | None:
        return value if isinstance(value, list) else None

    def again(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.again(member) for name, member in value.items()}
        return [self.again(item) for item in value] if isinstance(value, list) else value


class _Foreign(_StrictComposer):
    """What another program's file may have."""

    def tagged(self, event: Any) -> None:
        """Another program's tag."""

    def unnamed(self, line: int) -> None:
        """A key that no field has."""

    def name(self, event: Any) -> str:
        text: str = event.value
        return text

    def scalar(self, event: Any, line: int) -> Any:
        if event.tag is not None:
            return event.value
        try:
            return super().scalar(event, line)
        except InvalidFile:
            return event.value


class _ForeignComposer(_Foreign, _PlainComposer):
    def named_again(self, event: Any, name: str, first: int) -> None:
        """The last one counts."""


class _ForeignFieldsComposer(_Foreign, _FieldsComposer):
    def mapping(self, line: int, members: dict[str, tuple[int, Any]]) -> Any:
        return super().mapping(line, {name: at for name, at in members.items() if at[1] is not None})
