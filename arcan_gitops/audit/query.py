"""Who read what, and when: decisions of audit logs that match, one by one as they are read."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Protocol

from arcan_gitops.audit.reading import unwrapped
from arcan_gitops.audit.streams import Place, lines
from arcan_gitops.names import InvalidName

Record = Mapping[str, Any]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Resolver(Protocol):
    """Who knows which keys an environment had at a revision."""

    def keys(self, revision: str, realm: str, environment: str) -> tuple[str, tuple[str, ...]] | None:
        """The commit, and the keys of then; None where no commit with that revision is known."""


class Unresolved:
    """Knows of no revision."""

    def keys(self, revision: str, realm: str, environment: str) -> None:
        """None."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; all of it must hold. Globs where the names are texts; empty asks nothing."""

    token: str = ""  # id or name of a token
    account: str = ""  # CLUSTER/NAMESPACE/ACCOUNT
    realm: str = ""
    environment: str = ""
    key: str = ""
    client: Network | None = None
    since: str = ""  # times as lines write them
    until: str = ""
    statuses: frozenset[str] = frozenset()  # `200`, `4xx`

    def matches(self, record: Record) -> bool:
        """Whether a decision is one of those, as far as its line says it: a read of all keys may be."""
        time = record.get("time", "")
        if (self.since and time < self.since) or (self.until and time >= self.until):
            return False
        status = str(record.get("status", ""))
        if self.statuses and not self.statuses & {status, f"{status[:1]}xx"}:
            return False
        return (
            self.matches_names(record)
            and (not self.token or _is_token(self.token, record))
            and (not self.account or fnmatchcase(account_of(record), self.account))
            and (self.client is None or _is_in(self.client, record.get("client")))
        )

    def matches_names(self, record: Record) -> bool:
        """Whether realm, environment and key are those that are asked for."""
        return all(
            not glob or fnmatchcase(str(record.get(name, "")), glob)
            for name, glob in (("realm", self.realm), ("environment", self.environment))
        ) and (not self.key or is_bulk(record) or fnmatchcase(str(record.get("key", "")), self.key))


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that matches. `keys` are those that a read of all keys gave; None where it read one key or
    none, or where they could not be found out (`unresolved`).
    """

    place: Place
    record: Record
    keys: tuple[str, ...] | None = None
    commit: str | None = None
    unresolved: bool = False


@dataclass
class Asked:
    """Reads logs. What could not be taken into account is counted as it goes."""

    question: Question
    resolver: Resolver = field(default_factory=Unresolved)
    damaged: int = 0  # audit lines that are no JSON
    unresolved: int = 0
    first: str = ""  # the earliest and latest time of any audit line
    last: str = ""

    def decisions(self, files: Sequence[str]) -> Iterator[Decided]:
        """In the order of the files. Raises `CannotReadLog`."""
        for file in files:
            for place, raw in lines(file):
                record = self._record(raw)
                if record is not None and "status" in record and self.question.matches(record):
                    decided = self._resolved(place, record)
                    if decided is not None:
                        yield decided

    def _record(self, raw: bytes) -> Record | None:
        text = unwrapped(raw)
        if text is None or b'"worker":' not in text:
            return None
        try:
            record: Record = json.loads(text)
        except (ValueError, RecursionError):
            self.damaged += 1
            return None
        time = record.get("time")
        if not isinstance(time, str) or not all(isinstance(value, str | int) for value in record.values()):
            self.damaged += 1
            return None
        self.first = min(self.first or time, time)
        self.last = max(self.last, time)
        return record

    def _resolved(self, place: Place, record: Record) -> Decided | None:
        if not is_bulk(record) or record.get("status") != 200:
            return Decided(place, record)
        found = self.resolver.keys(str(record.get("revision")), record["realm"], record["environment"])
        if found is None:
            self.unresolved += 1
            return Decided(place, record, unresolved=True)
        commit, keys = found
        if self.question.key:
            keys = tuple(key for key in keys if fnmatchcase(key, self.question.key))
            if not keys:
                return None
        return Decided(place, record, keys, commit)


def is_bulk(record: Record) -> bool:
    """Whether all keys of an environment were asked for."""
    return "key" not in record and "realm" in record and "environment" in record


def account_of(record: Record) -> str:
    """`CLUSTER/NAMESPACE/ACCOUNT` of who asked, also where it is only claimed; empty for a token."""
    if "account" in record:
        return f"{record.get('cluster')}/{record.get('namespace')}/{record['account']}"
    return str(record.get("claimed_account", ""))


def _is_token(wanted: str, record: Record) -> bool:
    return any(
        fnmatchcase(str(record[name]), wanted)
        for name in ("token_id", "token_name", "claimed_token_id")
        if name in record
    )


def _is_in(network: Network, client: object) -> bool:
    with suppress(ValueError):
        address = ipaddress.ip_address(str(client))
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return address in network
    return False


def parse_network(text: str) -> Network:
    """An address, or a network as `10.0.0.0/8`. Raises `InvalidName`."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        hint = "as in 10.0.0.7, 10.0.0.0/8 or fd00::/8"
        raise InvalidName(f"{text[:80]!r} is neither an address nor a network", hint=hint) from None


def parse_status(text: str) -> str:
    """`200`, or `4xx` for all of them. Raises `InvalidName`."""
    if len(text) == 3 and text[0] in "12345" and (text[1:] == "xx" or text[1:].isdigit()):
        return text
    raise InvalidName(f"{text[:80]!r} is no status", hint="as in 200, 404 or 4xx")


@dataclass(frozen=True, slots=True)
class Watched:
    """Which of the keys that there are were read. `possibly` may have been, in a read of all keys of which
    nobody knows what it gave.
    """

    unread: tuple[tuple[str, str, str], ...]  # realm, environment, key
    possibly: tuple[tuple[str, str, str], ...]
    read: int
    since: str
    until: str


def unread(asked: Asked, files: Sequence[str], present: Iterable[tuple[str, str, str]]) -> Watched:
    """Which keys of those present nobody has read, by the lines of the files. Raises `CannotReadLog`."""
    left = set(present)
    many = len(left)
    bulk: set[tuple[str, str]] = set()
    for decided in asked.decisions(files):
        record = decided.record
        if record["status"] != 200 or "realm" not in record:
            continue
        place = (record["realm"], record["environment"])
        if decided.unresolved:
            bulk.add(place)
        for key in decided.keys or ([record["key"]] if "key" in record else []):
            left.discard((*place, key))
    possibly = {one for one in left if one[:2] in bulk}
    since = max(asked.first, asked.question.since)
    until = min(asked.last, asked.question.until or asked.last)
    return Watched(tuple(sorted(left - possibly)), tuple(sorted(possibly)), many - len(left), since, until)
