"""`realms/<realm>/realm.yaml`: what a realm allows, which a document cannot allow itself; how tokens end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from arcan_gitops.access import InvalidTime, parse_duration
from arcan_gitops.names import RealmName
from arcan_gitops.realms.kinds import KINDS, is_kind
from arcan_gitops.realms.tree import RealmTree, read_file
from arcan_gitops.sops.limits import DEFAULT_LIMITS, Limits
from arcan_gitops.yamlio import Fields, read_mapping

_SHARDS: Final = (1, 16, 256)
_MAX_GLOBS: Final = 100  # each key is held against each of them


@dataclass(frozen=True, slots=True)
class RealmSettings:
    """`limits` are those of the realm's documents: which keys may hold values in clear, or empty values.

    `binding` says that its documents must be bound to their places: more than the server asks, never less.
    `deletions` is `recorded` where a key that is not there counts as removed only if a record says so, and
    None where nothing is said of it.
    `kinds` are (key or glob, kind) of what values must look like.
    `shards` is into how many ConfigMaps the key files of an environment are parted: 1, 16 or 256.
    `token_expiry` is how long new tokens are to live, as a duration (`180d`), where the realm says so.
    """

    limits: Limits = DEFAULT_LIMITS
    token_expiry: str | None = None
    binding: bool = False
    deletions: str | None = None
    shards: int = 1
    kinds: tuple[tuple[str, str], ...] = ()

    @property
    def recorded(self) -> bool:
        """Whether removals are recorded."""
        return self.deletions == "recorded"

    @classmethod
    def parse(cls, data: bytes, source: str) -> RealmSettings:
        """Raises `InvalidFile`, with the line, for anything but these."""
        fields = read_mapping(data, source)
        settings = cls(
            Limits(
                allow_unencrypted=fields.optional_texts("allowUnencrypted") or (),
                allow_empty=fields.optional_texts("allowEmpty") or (),
            ),
            token_expiry=fields.optional_text("tokenExpiry"),
            binding=_one_of(fields, "binding", ("required",)) is not None,
            deletions=_one_of(fields, "deletions", ("recorded", "unrecorded")),
            shards=_shards(fields),
            kinds=_kinds(fields),
        )
        fields.done()
        for field in ("allowUnencrypted", "allowEmpty"):
            if len(fields.optional_texts(field) or ()) > _MAX_GLOBS:
                fields.fail(f"'{field}' has more than {_MAX_GLOBS} globs", field=field)
        if settings.token_expiry is not None:
            _check_duration(fields, settings.token_expiry)
        return settings


def _shards(fields: Fields) -> int:
    number = fields.integer("shards", 1)
    if number not in _SHARDS:
        allowed = "1, 16 or 256"
        fields.fail(
            f"'shards' can only be {allowed}", field="shards", hint="write one of these, or leave it out"
        )
    return number


def _one_of(fields: Fields, field: str, known: tuple[str, ...]) -> str | None:
    text = fields.optional_text(field)
    if text is not None and text not in known:
        allowed = " or ".join(f"'{each}'" for each in known)
        fields.fail(f"'{field}' can only be {allowed}", field=field, hint="write that, or leave it out")
    return text


def _kinds(fields: Fields) -> tuple[tuple[str, str], ...]:
    listed = fields.optional_mapping("kinds")
    found = []
    if listed is None:
        return ()
    for glob in listed.names():
        text = listed.text(glob)
        if not is_kind(text):
            listed.fail(f"'{glob}': there is no such kind", field=glob, hint=f"a kind is {KINDS}")
        found.append((glob, text))
    if len(found) > _MAX_GLOBS:
        fields.fail(f"'kinds' has more than {_MAX_GLOBS} globs", field="kinds")
    return tuple(found)


def _check_duration(fields: Fields, text: str) -> None:
    try:
        if parse_duration(text):
            return
    except InvalidTime as error:
        fields.fail(f"'tokenExpiry': {error.message}", field="tokenExpiry", hint=error.hint)
    fields.fail("'tokenExpiry' is zero", field="tokenExpiry", hint="write a duration as 180d")


def settings_of(tree: RealmTree, realm: RealmName) -> RealmSettings:
    """What a realm allows: nothing where it has no `realm.yaml`. Raises `InvalidFile`, `CannotRead`."""
    path = tree.realm_file(realm)
    return RealmSettings() if path is None else RealmSettings.parse(read_file(path), str(path))
