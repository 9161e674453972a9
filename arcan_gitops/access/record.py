"""An entry of `tokens` in `realms/<realm>/tokens.yaml`: what a realm knows of a token. Digests only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from arcan_gitops.access.scope import Scope, environment_glob, key_glob, parsed, read_globs
from arcan_gitops.access.times import format_time, parse_time
from arcan_gitops.access.token import TOKEN_DIGEST, TOKEN_ID, shown
from arcan_gitops.names import InvalidName, TokenName
from arcan_gitops.yamlio import Fields

READ_ONLY: Final = "read-only"
STATUS: Final = "status"
POLICIES: Final = (READ_ONLY, STATUS)
POLICY_RULE: Final = (
    f"a policy is {READ_ONLY}, which reads secrets, or {STATUS}, which asks how the server is and "
    "reads none; Git is the only writer"
)

_TEXTS: Final = ("id", "name", "policy", "created", "expires", "digest")
_MADE_BY_ARCAN: Final = "entries are made by 'arcan token create'; never write a token itself here"


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """One entry of a tokens file. `environments` and `keys` are globs, None for all; times are UTC."""

    id: str
    name: str
    policy: str
    environments: tuple[str, ...] | None
    keys: tuple[str, ...] | None
    created: datetime
    expires: datetime | None
    digest: str  # as `token.digest` gives it

    @property
    def scope(self) -> Scope:
        """What the token may read; compiled anew each time, so a server keeps it."""
        return Scope(self.environments, self.keys)

    def expired(self, now: datetime) -> bool:
        """Whether the token's life has ended; at the moment of `expires` it has."""
        return self.expires is not None and now >= self.expires

    def to_plain(self) -> dict[str, Any]:
        """The entry as texts and lists of texts, named and ordered as in the file; for JSON and YAML."""
        plain = {
            "id": self.id,
            "name": str(self.name),
            "policy": self.policy,
            "environments": None if self.environments is None else list(map(str, self.environments)),
            "keys": None if self.keys is None else list(map(str, self.keys)),
            "created": format_time(self.created),
            "expires": None if self.expires is None else format_time(self.expires),
            "digest": self.digest,
        }
        return {field: value for field, value in plain.items() if value is not None}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> TokenRecord:
        """What `to_plain` gave, trusted as it is."""
        environments, keys, expires = (plain.get(field) for field in ("environments", "keys", "expires"))
        return cls(
            id=plain["id"],
            name=plain["name"],
            policy=plain["policy"],
            environments=None if environments is None else tuple(environments),
            keys=None if keys is None else tuple(keys),
            created=parse_time(plain["created"]),
            expires=None if expires is None else parse_time(expires),
            digest=plain["digest"],
        )

    @classmethod
    def parse(cls, entry: Fields) -> TokenRecord:
        """Raises `InvalidFile`, with the line."""
        for field in _TEXTS:  # all are asked for before `done`, so that a misspelt one is named, not missed
            entry.optional_text(field)
        environments = read_globs(entry, "environments", environment_glob, "token")
        keys = read_globs(entry, "keys", key_glob, "token")
        entry.done()
        identifier, policy, digest = entry.text("id"), entry.text("policy"), entry.text("digest")
        name = parsed(entry, "name", token_name, entry.text("name"))
        created = parsed(entry, "created", parse_time, entry.text("created"))
        ends = entry.optional_text("expires")
        if TOKEN_ID.fullmatch(identifier) is None:
            entry.fail("'id' must be 12 letters and digits", field="id", hint=_MADE_BY_ARCAN)
        if policy not in POLICIES:
            entry.fail(f"{shown(policy)} is not a policy", field="policy", hint=POLICY_RULE)
        if policy == STATUS and keys is not None:
            entry.fail(f"'keys': a token of policy {STATUS} reads none", field="keys", hint="leave them out")
        expires = None if ends is None else parsed(entry, "expires", parse_time, ends)
        if expires is not None and expires < created:
            entry.fail("'expires' is before 'created'", field="expires")
        if TOKEN_DIGEST.fullmatch(digest) is None:
            # the text is not shown: it may be a token that somebody put here by mistake
            entry.fail("'digest' must be 'sha256:' and 64 of 0-9a-f", field="digest", hint=_MADE_BY_ARCAN)
        return cls(identifier, name, policy, environments, keys, created, expires, digest)


def token_name(text: str) -> str:
    """`text`, or `InvalidName` if a token cannot be called so."""
    if TokenName.grammar.fullmatch(text) is None:
        raise InvalidName(
            f"{shown(text)} is not a valid token name",
            hint=f"a {TokenName.noun} is {TokenName.rule}",
        )
    return text


def matching(records: Iterable[TokenRecord], name_or_id: str) -> tuple[TokenRecord, ...]:
    """The entries of that name, and the one of that id."""
    return tuple(record for record in records if name_or_id in (record.name, record.id))


def newest(records: Iterable[TokenRecord], name: str) -> TokenRecord | None:
    """The entry that stands for `name`: the last created, and of those the last in the file.

    A rotation leaves the old entry under the same name until it expires.
    """
    entries = [record for record in records if record.name == name]
    return max(reversed(entries), key=lambda record: record.created, default=None)
