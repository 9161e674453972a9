"""One Kubernetes Secret that an app declares: what goes into it, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.regexp import compile_pattern
from arcan_gitops.names import InvalidName, KeyName, ObjectName
from arcan_gitops.overlay.labels import read_annotations, read_labels
from arcan_gitops.overlay.manifest import LABELS
from arcan_gitops.overlay.refresh import RefreshChange
from arcan_gitops.overlay.removal import REMOVED
from arcan_gitops.overlay.secret_type import SecretType, Template
from arcan_gitops.yamlio import Fields, InvalidFile, Problems, each, one_of

SECRET_FIELDS: Final = (
    "name", "keys", "all", "extract", "rewrite", "type", "registry", "template", "labels", "annotations",
    "refreshPolicy", "refreshInterval", "creationPolicy", "deletionPolicy", "immutable", "externalSecret",
    REMOVED,
)  # fmt: skip
KEY_FIELDS: Final = ("key", "as", "property", "version", "decode")
_NOT_OF_A_REALM: Final = {
    "property": "a realm's key is one text",
    "version": "it is generated, from the realm file",
}
REWRITE_FIELDS: Final = ("source", "target", "transform")
CREATION_POLICIES: Final = ("Owner", "Orphan", "Merge", "None", "CreateOrMerge")
# with these, the Secret is there before, or may be
_OF_SOMEBODY_ELSE: Final = ("Merge", "CreateOrMerge")
DELETION_POLICIES: Final = ("Retain", "Delete", "Merge")
DECODINGS: Final = ("None", "Base64", "Base64URL", "Auto")


@dataclass(frozen=True, slots=True)
class DeclaredKey:
    """One key of the store.

    `property` is a field inside the key's value, `version` one of its versions: only stores that are not
    Arcan's have them.
    """

    key: str
    where: str  # `file:line`, for errors
    property: str | None = None
    version: str | None = None
    decode: str = "None"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One step of renaming all keys: a regular expression (Go's), or a template over `.value`."""

    source: str | None
    target: str


@dataclass(frozen=True, slots=True)
class DeclaredSecret:
    """One Kubernetes Secret: of single `keys`, of all fields of each key in `extract`, or of everything.

    `keys` are by the name that each has inside it. `keys` and `extract` are both None for everything.
    """

    name: ObjectName
    external: ObjectName  # the name of the ExternalSecret
    keys: Mapping[KeyName, DeclaredKey] | None
    extract: tuple[DeclaredKey, ...] | None
    rewrites: tuple[Rewrite, ...]
    type: SecretType | None
    template: Template
    refresh: RefreshChange
    creation: str
    deletion: str
    immutable: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    where: str
    lines: Mapping[str, str]

    def at(self, field: str) -> str:
        """`file:line` of a field, for errors."""
        return self.lines[field]

    @property
    def entries(self) -> tuple[DeclaredKey, ...]:
        """All keys of the store that it names."""
        return tuple(self.keys.values()) if self.keys else self.extract or ()

    def made_template(self, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Any:
        """`target.template`, or None where none is needed; `labels` and `annotations` are those declared.

        Without one ESO copies all labels and annotations of the ExternalSecret to the Secret. A Secret that
        is somebody else's gets those that are declared and no others: not ours, and not the label by which
        Argo CD would take the Secret for a part of an Application (externalsecret_controller_template.go).
        """
        if self.creation not in _OF_SOMEBODY_ELSE:
            return self.template.spec(self.type, {**LABELS, **labels}, annotations)
        made = self.template.spec(self.type, labels, annotations, always=True)
        return {**made, "metadata": {"labels": {}, "annotations": {}, **made["metadata"]}}

    @property
    def written_keys(self) -> tuple[str, ...]:
        """The keys of the Secret that it is sure to write; others may come from the store."""
        made = {**(self.type.data if self.type is not None else {}), **self.template.data}
        fetched = (self.keys or {}) if self.template.merge or not made else {}
        return tuple(dict.fromkeys([*map(str, fetched), *made]))

    @property
    def is_bulk(self) -> bool:
        """Whether it asks for everything."""
        return self.keys is None and self.extract is None

    @classmethod
    def parse(cls, fields: Fields, *, of_realm: bool) -> DeclaredSecret:
        """`of_realm`: its keys are a realm's. Raises `InvalidFile`."""
        problems = Problems()
        fields.only(*SECRET_FIELDS)
        name: ObjectName = problems.of(
            lambda: fields.parse("name", ObjectName, fields.text("name")), ObjectName("")
        )
        keys, extract = problems.of(lambda: _content(fields, name, of_realm), (None, None))
        creation, deletion = problems.of(lambda: _policies(fields), ("", ""))
        rewrites = problems.of(lambda: _rewrites(fields, keys), ())
        template = problems.of(lambda: Template.parse(fields), Template())
        labels = problems.of(lambda: read_labels(fields, "labels"), {})
        annotations = problems.of(lambda: read_annotations(fields, "annotations"), {})
        problems.refuse()
        kind = SecretType.parse(fields, None if keys is None else tuple(keys))
        return cls(
            name=name,
            external=fields.parse("externalSecret", ObjectName, fields.text("externalSecret", name)),
            keys=keys,
            extract=extract,
            rewrites=rewrites,
            type=kind,
            template=template,
            refresh=RefreshChange.parse(fields),
            creation=creation,
            deletion=deletion,
            immutable=fields.flag("immutable"),
            labels=labels,
            annotations=annotations,
            where=f"{fields.source}:{fields.line}",
            lines={field: f"{fields.source}:{fields.line_of(field)}" for field in SECRET_FIELDS},
        )


def _content(
    fields: Fields, name: ObjectName, of_realm: bool
) -> tuple[Mapping[KeyName, DeclaredKey] | None, tuple[DeclaredKey, ...] | None]:
    """(`keys`, `extract`); both None for everything."""
    everything = fields.flag("all")
    given = [field for field in ("keys", "extract") if field in fields] + (["all"] if everything else [])
    if len(given) > 1:
        problem = f"secret '{name}' has both '{given[0]}' and '{given[1]}'"
        fields.fail(problem, field=given[1], hint="keep one of them")
    if everything:
        if not of_realm:
            hint = "name what holds them: 'extract: [prod/myapp]'"
            fields.fail("'all' asks for all of a realm, and this app has a store", field="all", hint=hint)
        return None, None
    if "extract" in fields:
        if of_realm:
            hint = "write 'all: true'"
            fields.fail(
                "'extract' is for an app with a store; a realm's key is one text", field="extract", hint=hint
            )
        extract = each(lambda item: _extracted(*item), _items(fields, "extract"))
        if extract:
            return None, extract
    items = tuple(_items(fields, "keys"))
    if not items:
        hint = (
            "list its 'keys', or write 'all: true'" if of_realm else "list its 'keys', or what to 'extract'"
        )
        fields.fail(f"secret '{name}' asks for nothing", hint=hint)
    keys: dict[KeyName, DeclaredKey] = {}

    def add(given: tuple[object, str]) -> None:
        item, where = given
        secret_key, key = _key(item, where, of_realm)
        if secret_key in keys:
            first = keys[secret_key].where.rpartition(":")[2]
            problem = f"secret '{name}' already has an entry '{secret_key}' (line {first})"
            hint = "name one of them otherwise: {key: ..., as: ...}"
            raise InvalidFile(f"{where}: {problem}", hint=hint)
        keys[secret_key] = key

    each(add, items)
    return keys, None


def _items(fields: Fields, field: str) -> list[tuple[object, str]]:
    lines = fields.item_lines(field)
    return [(item, f"{fields.source}:{line}") for item, line in zip(fields.items(field), lines, strict=True)]


def _key(item: object, where: str, of_realm: bool) -> tuple[KeyName, DeclaredKey]:
    """The name inside the Kubernetes Secret, and what it is."""
    if isinstance(item, str):
        return _secret_key(item, where, of_realm), DeclaredKey(item, where)
    if not isinstance(item, Fields):
        raise InvalidFile(f"{where}: must be a key's name, or {{key, as}}", hint="quote it if it is a name")
    if of_realm:
        for field, why in _NOT_OF_A_REALM.items():
            if field in item:
                item.fail(f"'{field}' is for an app with a store", field=field, hint=f"leave it out: {why}")
    item.only(*(field for field in KEY_FIELDS if not of_realm or field not in _NOT_OF_A_REALM))
    key = _entry(item, where)
    if of_realm:
        item.parse("key", KeyName, key.key)
    if (named := item.optional_text("as")) is not None:
        return item.parse("as", KeyName, named), key
    return _secret_key(key.property or key.key, where, of_realm), key


def _extracted(item: object, where: str) -> DeclaredKey:
    """One key, all fields of which go into the Secret under their own names."""
    if isinstance(item, str):
        return DeclaredKey(item, where)
    if not isinstance(item, Fields):
        raise InvalidFile(f"{where}: must be a key, or {{key, property}}", hint="quote it if it is a key")
    item.only("key", "property", "version", "decode")
    return _entry(item, where)


def _entry(fields: Fields, where: str) -> DeclaredKey:
    return DeclaredKey(
        fields.text("key"),
        where,
        fields.optional_text("property"),
        fields.optional_text("version"),
        one_of(fields, "decode", fields.text("decode", "None"), DECODINGS),
    )


def _secret_key(text: str, where: str, of_realm: bool) -> KeyName:
    try:
        return KeyName.parse(text)
    except InvalidName as error:
        if of_realm:
            raise InvalidFile(f"{where}: {error.message}", hint=error.hint) from None
        problem = f"{text[:80]!r} cannot be a key of a Kubernetes Secret"
        raise InvalidFile(f"{where}: {problem}", hint="name it: {key: ..., as: NAME}") from None


def _rewrites(fields: Fields, keys: object) -> tuple[Rewrite, ...]:
    if "rewrite" in fields and keys is not None:
        hint = "name them otherwise: {key: ..., as: ...}"
        fields.fail(
            "'rewrite' is for 'all' and 'extract', and these are single keys", field="rewrite", hint=hint
        )
    return each(_rewrite, fields.mappings("rewrite"))


def _rewrite(fields: Fields) -> Rewrite:
    fields.only(*REWRITE_FIELDS)
    if "transform" in fields:
        if len(fields.names()) != 1:
            fields.fail("a rewrite is either {source, target} or {transform}", hint="make it two")
        return Rewrite(None, fields.text("transform"))
    source = fields.text("source")
    try:
        compile_pattern(source)
    except GoError:
        problem = f"{source[:80]!r} is not a regular expression in Go's (RE2's) dialect"
        fields.fail(problem, field="source", hint="ESO would refuse it: no lookaround, no backreferences")
    return Rewrite(source, fields.text("target"))


def _policies(fields: Fields) -> tuple[str, str]:
    """(creation, deletion), and not what ESO's admission or its controller refuses
    (externalsecret_validator.go).
    """
    creation = one_of(fields, "creationPolicy", fields.text("creationPolicy", "Owner"), CREATION_POLICIES)
    deletion = one_of(fields, "deletionPolicy", fields.text("deletionPolicy", "Retain"), DELETION_POLICIES)
    if deletion == "Delete" and creation != "Owner":
        problem = f"deletionPolicy Delete needs creationPolicy Owner, not {creation}"
        fields.fail(problem, field="deletionPolicy", hint="ESO deletes only what it owns")
    if deletion == "Merge" and creation == "None":
        problem = "deletionPolicy Merge cannot go with creationPolicy None"
        fields.fail(problem, field="deletionPolicy", hint="there is no Secret to take keys out of")
    return creation, deletion
