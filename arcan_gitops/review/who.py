"""`arcan who-can-read`: everybody and everything that can read a key, and who could once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arcan_gitops.access import format_time
from arcan_gitops.errors import ArcanError, printable, some
from arcan_gitops.names import did_you_mean
from arcan_gitops.review.history import Former, History, former
from arcan_gitops.review.made import Made, made_by
from arcan_gitops.review.objects import Objects
from arcan_gitops.review.readers import Caller, callers, name_of, recipients_of
from arcan_gitops.review.state import State


@dataclass(frozen=True, slots=True)
class Person:
    """A recipient, by name, and the keys that it opens: None for all of the environment."""

    recipient: str
    name: str
    keys: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Access:
    """Who can read one key of an environment, or (`key` is None) any of it. `needed` recipients open it
    together, where that is more than one; `keys` are those that were asked about.
    """

    realm: str
    environment: str
    key: str | None
    people: tuple[Person, ...]
    needed: int
    callers: tuple[Caller, ...]
    secrets: tuple[Made, ...]
    former: tuple[Former, ...]
    former_names: tuple[str, ...]
    keys: tuple[str, ...]

    def to_plain(self, now: datetime) -> dict[str, Any]:
        """For JSON."""
        return {
            "realm": self.realm,
            "environment": self.environment,
            "key": self.key,
            "recipients": [
                {"name": each.name, "recipient": each.recipient, "keys": each.keys} for each in self.people
            ],
            "recipientsNeeded": self.needed,
            **{
                f"{kind}s": [_plain(caller, now) for caller in self.callers if caller.kind == kind]
                for kind in ("token", "account")
            },
            "apps": sorted({made.app for made in self.secrets}),
            "secrets": [
                {
                    "cluster": made.place.cluster,
                    "namespace": made.place.namespace,
                    "name": made.place.name,
                    "app": made.app,
                    "overlay": made.overlay,
                    "reads": made.reads,
                }
                for made in self.secrets
            ],
            "clusters": sorted({made.place.cluster for made in self.secrets}),
            "former": [
                {
                    "kind": each.kind,
                    "name": name,
                    "keys": list(each.keys),
                    "until": each.until.id,
                    "certain": each.certain,
                }
                for each, name in zip(self.former, self.former_names, strict=True)
            ],
        }


def _plain(caller: Caller, now: datetime) -> dict[str, Any]:
    environments, keys = caller.scope.environments, caller.scope.keys
    return {
        "name": caller.name,
        "id": caller.id,
        "environments": None if environments is None else list(environments),
        "keys": None if keys is None else list(keys),
        "expires": None if caller.expires is None else format_time(caller.expires),
        "ended": caller.ended(now),
    }


def who_can_read(
    state: State, history: History, objects: Objects, realm: str, key: str | None, environment: str | None
) -> tuple[Access, ...]:
    """One for each environment that is asked for and has the key. Raises `ArcanError` for what is not
    there.
    """
    if realm not in state.realms:
        raise ArcanError(f"there is no realm '{realm}'", hint=did_you_mean(realm, state.realms))
    known = state.environments(realm)
    for name in known:
        state.of(realm, name)  # so that what cannot be read is known, whatever is asked for
    if environment is not None and environment not in known:
        raise ArcanError(
            f"realm '{realm}' has no environment '{environment}'", hint=did_you_mean(environment, known)
        )
    asked = known if environment is None else (environment,)
    wanted = [name for name in asked if key is None or key in state.keys(realm, name)]
    if key is not None and not wanted:
        names = {name for each in asked for name in state.keys(realm, each)}
        where = f"environment '{environment}' of realm" if environment is not None else "realm"
        raise ArcanError(f"{where} '{realm}' has no key '{key}'", hint=did_you_mean(key, names))
    secrets = made_by(state)
    return tuple(_access(state, history, objects, realm, name, key, secrets) for name in wanted)


def _access(
    state: State,
    history: History,
    objects: Objects,
    realm: str,
    environment: str,
    key: str | None,
    secrets: tuple[Made, ...],
) -> Access:
    keys = (key,) if key is not None else tuple(state.keys(realm, environment))
    reading = tuple(
        caller
        for caller in sorted(
            callers(state).values(), key=lambda caller: (caller.kind, caller.name, caller.id)
        )
        if caller.realm == realm and any(caller.reads(environment, each) for each in keys)
    )
    taking = tuple(
        made
        for made in sorted(secrets, key=lambda made: (made.place, made.app))
        if any(made.takes(realm, environment, each) for each in keys)
    )
    gone = former(state, history, objects, realm, environment, keys)
    names = tuple(name_of(each.name, state) if each.kind == "recipient" else each.name for each in gone)
    documents = [d for d in state.of(realm, environment).values() if key is None or key in d.keys]
    needed = max((document.needed for document in documents), default=1)
    people = tuple(_people(state, realm, environment, keys))
    return Access(realm, environment, key, people, needed, reading, taking, gone, names, keys)


def _people(state: State, realm: str, environment: str, keys: tuple[str, ...]) -> Iterator[Person]:
    documents = state.of(realm, environment).values()
    for recipient in recipients_of(state, realm, environment):
        opened = [key for document in documents if recipient in document.recipients for key in document.keys]
        mine = tuple(key for key in keys if key in opened)
        if mine:
            yield Person(recipient, name_of(recipient, state), None if len(mine) == len(keys) else mine)


def as_text(found: tuple[Access, ...], now: datetime) -> str:
    """For people: a block for each environment."""
    lines: list[str] = []
    for access in found:
        what = f"{access.realm}/{access.environment}" + (f" {access.key}" if access.key else "")
        lines += [what, *_block(access, now), ""]
    return "\n".join(map(printable, lines[:-1])) + "\n"


def _block(access: Access, now: datetime) -> Iterator[str]:
    together = f" ({access.needed} key groups have to open it together)" if access.needed > 1 else ""
    yield f"  recipients{together}"
    for person in access.people:
        yield f"    {person.name}" + ("" if person.keys is None else f": {some(person.keys)}")
    for kind in ("token", "account"):
        mine = [caller for caller in access.callers if caller.kind == kind]
        if mine:
            yield f"  {kind}s"
        for caller in mine:
            keys = caller.scope.keys
            scope = "" if access.key is not None or keys is None else f": {some(list(keys))}"
            ended = " (expired)" if caller.ended(now) else ""
            yield f"    {caller.name}{scope}{ended}"
    if access.secrets:
        yield "  Kubernetes Secrets"
    for made in access.secrets:
        yield f"    {made.place.cluster}: {made.place} (app {made.app}, by {made.reads})"
    if access.former:
        yield "  could once, and may know the value still"
    for each, name in zip(access.former, access.former_names, strict=True):
        sure = "" if each.certain else "; encrypted anew since, and only the key tells if the value changed"
        keys = "" if access.key is not None else f": {some(each.keys)}"
        yield f"    {each.kind} {name}{keys} (until after {each.until.id[:12]}{sure})"
