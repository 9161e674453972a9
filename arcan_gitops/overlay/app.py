"""`kustomize/apps/<app>.yaml`: a declared consumer, and the Kubernetes Secrets that it wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from arcan_gitops.names import (
    AppName,
    InvalidName,
    KeyName,
    Namespace,
    ObjectName,
    OverlayName,
    RealmName,
    TokenName,
)
from arcan_gitops.yamlio import Fields, InvalidFile, read_mapping


@dataclass(frozen=True, slots=True)
class DeclaredKey:
    """One key of the realm, and the name that it has inside the Kubernetes Secret."""

    key: KeyName
    secret_key: KeyName
    where: str  # `file:line`, for errors


@dataclass(frozen=True, slots=True)
class DeclaredSecret:
    """One Kubernetes Secret; `keys` is None for all keys of the environment."""

    name: ObjectName
    keys: tuple[DeclaredKey, ...] | None
    where: str


@dataclass(frozen=True, slots=True)
class App:
    """One app. `namespaces` is the same everywhere, or says it for each overlay; `overlays` None is all."""

    name: AppName
    realm: RealmName
    namespaces: Namespace | Mapping[OverlayName, Namespace]
    token: str
    overlays: tuple[OverlayName, ...] | None
    secrets: tuple[DeclaredSecret, ...]
    source: str
    lines: Mapping[str, int]

    def at(self, field: str) -> str:
        """`file:line` of a field, for errors."""
        return f"{self.source}:{self.lines[field]}"

    def goes_to(self, overlay: OverlayName) -> bool:
        """Whether the app is part of an overlay."""
        return self.overlays is None or overlay in self.overlays

    def namespace_in(self, overlay: OverlayName) -> Namespace | None:
        """The app's namespace in an overlay, or None where its file names none for it."""
        return self.namespaces if isinstance(self.namespaces, str) else self.namespaces.get(overlay)

    @classmethod
    def parse(cls, data: bytes, source: str) -> App:
        """The app that a file declares. Raises `InvalidFile`, with the line, for anything it cannot be."""
        fields = read_mapping(data, source)
        fields.only("name", "realm", "namespace", "token", "overlays", "secrets")
        name = fields.parse("name", AppName, fields.text("name"))
        if name != PurePath(source).stem:
            hint = f"rename the file to {name}.yaml, or write 'name: {PurePath(source).stem}'"
            fields.fail(f"'name' is '{name}', which is not the file's name", field="name", hint=hint)
        overlays = fields.optional_texts("overlays")
        if overlays is not None and not overlays:
            hint = "leave 'overlays' out for all, or remove the file"
            fields.fail("'overlays' is empty", field="overlays", hint=hint)
        secrets = tuple(_secret(item) for item in fields.mappings("secrets"))
        if not secrets:
            hint = "declare at least one: 'secrets: [{name: my-app, keys: [DATABASE_URL]}]'"
            fields.fail("the app declares no secrets", field="secrets", hint=hint)
        return cls(
            name=name,
            realm=fields.parse("realm", RealmName, fields.text("realm")),
            namespaces=_namespaces(fields),
            token=fields.parse("token", TokenName, fields.text("token")),
            overlays=None if overlays is None else tuple(_overlay_names(fields, overlays)),
            secrets=secrets,
            source=source,
            lines={field: fields.line_of(field) for field in ("realm", "namespace", "token", "overlays")},
        )


def _overlay_names(fields: Fields, texts: tuple[str, ...]) -> Iterator[OverlayName]:
    for text in texts:
        yield fields.parse("overlays", OverlayName, text)


def _namespaces(fields: Fields) -> Namespace | Mapping[OverlayName, Namespace]:
    if not fields.is_mapping("namespace"):
        namespace: Namespace = fields.parse("namespace", Namespace, fields.text("namespace"))
        return namespace
    by_overlay = fields.optional_mapping("namespace")
    assert by_overlay is not None  # is_mapping says so
    return {
        by_overlay.parse(overlay, OverlayName, overlay): by_overlay.parse(
            overlay, Namespace, by_overlay.text(overlay)
        )
        for overlay in by_overlay.names()
    }


def _secret(fields: Fields) -> DeclaredSecret:
    fields.only("name", "keys", "all")
    name = fields.parse("name", ObjectName, fields.text("name"))
    where = f"{fields.source}:{fields.line}"
    everything = fields.flag("all")
    items = fields.items("keys")
    if everything and "keys" in fields:
        fields.fail(f"secret '{name}' has both 'keys' and 'all'", field="all", hint="keep one of them")
    if everything:
        return DeclaredSecret(name, None, where)
    if not items:
        fields.fail(f"secret '{name}' asks for nothing", hint="list its 'keys', or write 'all: true'")
    keys: dict[KeyName, DeclaredKey] = {}
    for item, line in zip(items, fields.item_lines("keys"), strict=True):
        key = _key(item, f"{fields.source}:{line}")
        if key.secret_key in keys:
            first = keys[key.secret_key].where.rpartition(":")[2]
            problem = f"secret '{name}' already has an entry '{key.secret_key}' (line {first})"
            raise InvalidFile(
                f"{key.where}: {problem}", hint="name one of them otherwise: {key: ..., as: ...}"
            )
        keys[key.secret_key] = key
    return DeclaredSecret(name, tuple(keys.values()), where)


def _key(item: object, where: str) -> DeclaredKey:
    if isinstance(item, str):
        try:
            key = KeyName.parse(item)
        except InvalidName as error:
            raise InvalidFile(f"{where}: {error.message}", hint=error.hint) from None
        return DeclaredKey(key, key, where)
    if not isinstance(item, Fields):
        raise InvalidFile(f"{where}: must be a key's name, or {{key, as}}", hint="quote it if it is a name")
    item.only("key", "as")
    key = item.parse("key", KeyName, item.text("key"))
    secret_key = item.parse("as", KeyName, item.text("as", key))
    return DeclaredKey(key, secret_key, where)
