"""`kustomize/apps/<app>.yaml`: a declared consumer, and the Kubernetes Secrets that it wants."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import Final

from arcan_gitops.names import AppName, Namespace, ObjectName, OverlayName, RealmName, TokenName
from arcan_gitops.overlay.declared_secret import SECRET_FIELDS, DeclaredSecret
from arcan_gitops.overlay.labels import read_annotations, read_labels
from arcan_gitops.overlay.place import ManyNamespaces, Place, by_overlay, read_overlays, read_place
from arcan_gitops.overlay.raw_secret import RAW_FIELDS, RawSecret
from arcan_gitops.overlay.references import mapping
from arcan_gitops.overlay.refresh import RefreshChange
from arcan_gitops.overlay.removal import (
    REMOVED,
    Departure,
    RemovedApp,
    RemovedSecret,
    read_left,
    split_removed,
)
from arcan_gitops.yamlio import Fields, InvalidFile, Problems, each, one_of, read_mapping

APP_FIELDS: Final = (
    "name", "realm", "token", "store", "namespace", "namespaces", "overlays", "consistency",
    "refreshPolicy", "refreshInterval", "labels", "annotations", "team", "secrets", "raw", "left", REMOVED,
)  # fmt: skip
TEAM_FIELDS: Final = ("groups", "users")
_EVERYBODY: Final = ("system:authenticated", "system:unauthenticated", "system:anonymous")


class Consistency(StrEnum):
    """Which state of a key an app gets."""

    PINNED = "pinned"  # the one that the overlay was generated from, or none
    LATEST = "latest"  # whatever the server that answers has loaded


@dataclass(frozen=True, slots=True)
class Realm:
    """The realm that an app reads, and its token there, by name: the same everywhere, or by overlay; None
    where the app leaves it to arcan.yaml.
    """

    name: RealmName
    token: TokenName | Mapping[OverlayName, TokenName] | None

    def token_in(self, overlay: OverlayName) -> TokenName | None:
        """The token of an overlay, or None where the file does not say."""
        return self.token.get(overlay) if isinstance(self.token, Mapping) else self.token

    @property
    def tokens(self) -> tuple[TokenName, ...]:
        """All of them, each once."""
        if self.token is None:
            return ()
        return tuple(dict.fromkeys(self.token.values())) if isinstance(self.token, Mapping) else (self.token,)


@dataclass(frozen=True, slots=True)
class Team:
    """Who may make ExternalSecrets in the app's namespace, as RBAC names them."""

    groups: tuple[str, ...]
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class App:
    """One app. It reads a realm, or the declared store that it names.

    `place` is the same everywhere, or says it for each overlay; `overlays` None is all. `left` are the places
    where it was, `removed` are Secrets that it had.
    """

    name: AppName
    reads: Realm | ObjectName
    place: Place
    overlays: tuple[OverlayName, ...] | None
    consistency: Consistency
    refresh: RefreshChange
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    team: Team | None
    secrets: tuple[DeclaredSecret, ...]
    source: str
    lines: Mapping[str, int]
    raw: tuple[RawSecret, ...] = ()
    left: tuple[Departure, ...] = ()
    removed: tuple[RemovedSecret, ...] = ()

    def at(self, field: str) -> str:
        """`file:line` of a field, for errors."""
        return f"{self.source}:{self.lines[field]}"

    def goes_to(self, overlay: OverlayName) -> bool:
        """Whether the app is part of an overlay."""
        return self.overlays is None or overlay in self.overlays

    def place_in(self, overlay: OverlayName) -> Namespace | ManyNamespaces | None:
        """Where the app's Secrets are in an overlay, or None where its file does not say."""
        return self.place.get(overlay) if isinstance(self.place, Mapping) else self.place

    @classmethod
    def parse(cls, data: bytes, source: str) -> App:
        """The app that a file declares. Raises `InvalidFile`, with the line, for anything it cannot be."""
        declared = parse_declaration(data, source)
        if isinstance(declared, RemovedApp):
            raise InvalidFile(f"{declared.where}: the app is removed", hint=f"take '{REMOVED}' out")
        return declared

    @classmethod
    def of(cls, fields: Fields) -> App:
        """The app of a file that has been read. Raises `InvalidFile`."""
        problems = Problems()
        name = problems.of(lambda: _name(fields), AppName(""))
        unread = ObjectName("") if "store" in fields else Realm(RealmName(""), TokenName(""))
        reads = problems.of(lambda: _reads(fields), unread)
        of_realm = isinstance(reads, Realm)
        place = problems.of(lambda: read_place(fields), {})
        stay, gone = problems.of(lambda: split_removed(fields, "secrets", SECRET_FIELDS), ((), ()))
        raw, raw_gone = problems.of(lambda: split_removed(fields, "raw", RAW_FIELDS, raw=True), ((), ()))
        app = cls(
            name=name,
            reads=reads,
            place=place,
            overlays=problems.of(lambda: read_overlays(fields)),
            consistency=problems.of(lambda: _consistency(fields, reads), Consistency.PINNED),
            refresh=problems.of(lambda: RefreshChange.parse(fields), RefreshChange()),
            labels=problems.of(lambda: read_labels(fields, "labels"), {}),
            annotations=problems.of(lambda: read_annotations(fields, "annotations"), {}),
            team=problems.of(lambda: _team(fields, place)),
            secrets=problems.of(
                lambda: each(lambda item: DeclaredSecret.parse(item, of_realm=of_realm), stay), ()
            ),
            source=fields.source,
            lines={field: fields.line_of(field) for field in APP_FIELDS},
            raw=problems.of(lambda: each(RawSecret.parse, raw), ()),
            left=problems.of(lambda: read_left(fields, name), ()),
            removed=(*gone, *raw_gone),
        )
        problems.of(lambda: _refuse_none(fields, stay, raw))
        if not problems.found:
            problems.of(lambda: _refuse_both(app))
        problems.refuse()
        return app


def parse_declaration(data: bytes, source: str) -> App | RemovedApp:
    """What a file declares: an app, or that the app is gone. Raises `InvalidFile`."""
    fields = read_mapping(data, source, aliases=True)
    fields.only(*APP_FIELDS)
    return RemovedApp.of(fields, _name(fields)) if REMOVED in fields else App.of(fields)


def _name(fields: Fields) -> AppName:
    name: AppName = fields.parse("name", AppName, fields.text("name"))
    stem = PurePath(fields.source).stem
    if name != stem:
        hint = f"rename the file to {name}.yaml, or write 'name: {stem}'"
        fields.fail(f"'name' is '{name}', which is not the file's name", field="name", hint=hint)
    return name


def _refuse_none(fields: Fields, secrets: Sequence[Fields], raw: Sequence[Fields]) -> None:
    """An app without any Secret, or with none left."""
    if not secrets and not raw and (fields.mappings("secrets") or fields.mappings("raw")):
        hint = f"remove the app: arcan app remove {shlex.quote(PurePath(fields.source).stem)}"
        fields.fail("every Secret of the app is removed", field="secrets", hint=hint)
    if not secrets and not raw:
        hint = "declare at least one: 'secrets: [{name: my-app, keys: [DATABASE_URL]}]'"
        fields.fail("the app declares no secrets", field="secrets", hint=hint)


def _refuse_both(app: App) -> None:
    """A Secret that an app has, and has not."""
    made: list[tuple[str, str]] = [(secret.name, secret.external) for secret in app.secrets]
    made += [(raw.target, raw.name) for raw in app.raw]
    for gone in app.removed:
        if any(gone.is_of(secret, external) for secret, external in made):
            problem = f"{gone.where}: this Secret is declared, and removed"
            raise InvalidFile(problem, hint="keep one of the two entries")


def credential_field(app: App) -> str:
    """The field of the app's file that decides by what it reads its realm."""
    return "realm" if isinstance(app.reads, Realm) and app.reads.token is None else "token"


def _reads(fields: Fields) -> Realm | ObjectName:
    if "store" not in fields:
        return Realm(
            fields.parse("realm", RealmName, fields.text("realm")),
            by_overlay(fields, "token", TokenName) if "token" in fields else None,
        )
    for field in ("realm", "token"):
        if field in fields:
            hint = "keep 'store', or 'realm' and 'token'"
            fields.fail(f"an app with a 'store' has no '{field}'", field=field, hint=hint)
    store: ObjectName = fields.parse("store", ObjectName, fields.text("store"))
    return store


def _consistency(fields: Fields, reads: Realm | ObjectName) -> Consistency:
    if "consistency" in fields and not isinstance(reads, Realm):
        hint = "leave it out: only the Arcan server answers by version"
        fields.fail("'consistency' is for an app that reads a realm", field="consistency", hint=hint)
    known = tuple(consistency.value for consistency in Consistency)
    return Consistency(one_of(fields, "consistency", fields.text("consistency", "pinned"), known))


def _team(fields: Fields, place: object) -> Team | None:
    if "team" not in fields:
        return None
    team = mapping(fields, "team", "{groups: [GROUP]}")
    team.only(*TEAM_FIELDS)
    groups, users = team.optional_texts("groups") or (), team.optional_texts("users") or ()
    if not groups and not users:
        fields.fail("'team' names nobody", field="team", hint="write team: {groups: [shop-developers]}")
    for name in (*groups, *users):
        if name in _EVERYBODY or not name.isprintable():
            fields.fail(
                f"{name[:80]!r} is not the name of a team",
                field="team",
                hint="name a group, or users, of your identity provider",
            )
    if isinstance(place, ManyNamespaces) and place.labels is not None:
        hint = "name them: 'namespaces: [a, b]'"
        fields.fail("a Role is in one namespace, and 'matchLabels' names none", field="team", hint=hint)
    return Team(groups, users)
