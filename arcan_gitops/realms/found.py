"""What a load of the realms came to, before it is a snapshot: and what of it is refused as a copy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KeyName, RealmName, place_name
from arcan_gitops.realms.binding import Place, Seal, Unit, Widened, copies, unit_name
from arcan_gitops.realms.documents import RealmRead
from arcan_gitops.realms.kept import Fresh
from arcan_gitops.realms.loaded_keys import parts_of, without
from arcan_gitops.realms.loading import Keeping
from arcan_gitops.realms.snapshot import Environment, Part, Snapshot, placed

_E = TypeVar("_E", Environment, Part)


@dataclass(slots=True)
class Found:
    """What the realms came to so far."""

    environments: dict[RealmName, dict[EnvironmentName, Environment]] = field(default_factory=dict)
    failed: set[Place] = field(default_factory=set)
    unknown: set[RealmName] = field(default_factory=set)
    foreign: set[RealmName] = field(default_factory=set)
    linked: bool = False
    problems: list[ArcanError] = field(default_factory=list)
    findings: list[ArcanError] = field(default_factory=list)
    fresh: dict[Unit, Fresh] = field(default_factory=dict)

    def add(self, realm: RealmName, read: RealmRead) -> None:
        if read.environments:
            self.environments[realm] = read.environments
        self.failed |= {(realm, name) for name in read.failed}
        self.fresh |= {(realm, *of): data for of, data in read.fresh.items()}
        self.problems += read.problems
        self.findings += read.findings
        self.linked |= read.linked
        if read.unknown:
            self.unknown.add(realm)
        if read.foreign:
            self.foreign.add(realm)

    def as_read(self) -> Found:
        """A copy for a later reload to go on from, made before anything is said of copies."""
        return replace(self, findings=list(self.findings), fresh={})

    def all(self) -> Iterator[tuple[Place, Environment]]:
        """What is served."""
        return placed(self.environments)

    def units(self) -> Iterator[tuple[Unit, Environment | Part]]:
        """The documents of what is served, and what each came to."""
        for place, environment in self.all():
            if environment.parts is None:
                yield (*place, None), environment
            else:
                for key, part in environment.parts.by_key.items():
                    yield (*place, key), part

    def refuse_copies(self, last: Snapshot | None, keeping: Keeping) -> None:
        """Take out what is a copy of a document that is bound to its place, and key files with the data key
        of others and not their recipients; what stood there before stays.
        """
        seals = {place: environment.seals() for place, environment in self.all()}
        refused, told = copies(seals)
        self.findings += [ArcanError(text, hint="bind the real one: arcan realm bind") for text in told]
        keys: dict[Place, dict[KeyName, Part | None]] = defaultdict(dict)
        for unit, error in refused.items():
            realm, name, key = unit
            before = None if last is None else last.environment(realm, name)
            seal = seals[realm, name][key]
            self.problems.append(error)
            self.fresh.pop(unit, None)
            if key is None:
                self.failed.add((realm, name))
                self._replace((realm, name), _last_good(before, seal, error, keeping))
            else:
                keys[realm, name][key] = _last_good(parts_of(before).get(key), seal, error, keeping)
        for place, parts in keys.items():
            left = without(self.environments[place[0]][place[1]], parts)
            self._replace(place, left)
            if left is None:
                self.failed.add(place)

    def _replace(self, place: Place, environment: Environment | None) -> None:
        if environment is None:
            del self.environments[place[0]][place[1]]
        else:
            self.environments[place[0]][place[1]] = environment

    def stale(self) -> Iterator[str]:
        """The places and keys that stand at their last good state."""
        for place, each in self.all():
            if each.stale:
                yield from (unit_name((*place, key)) for key in sorted(each.stale))
            elif each.since is not None:
                yield place_name(*place)

    def not_loaded(self) -> set[Place]:
        """The places that are there, and of which nothing can be served."""
        return self.failed - {place for place, _ in self.all()}

    def is_served_by(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot has these very environments, and no others."""
        environments = dict(self.all())
        return environments.keys() == set(snapshot.names()) and all(
            snapshot.environment(*place) is environment for place, environment in environments.items()
        )


def _last_good(before: _E | None, seal: Seal, error: ArcanError, keeping: Keeping) -> _E | None:
    """What stood in the place of a document that is refused, if that was another one, and is not too old."""
    if before is None or before.seal is None or before.seal == seal:
        return None
    if before.seal.key == seal.key and not isinstance(error, Widened):
        return None
    since = keeping.since(before.since)
    if since is None:
        return None
    if isinstance(before, Part):
        return replace(before, since=since, state=None)
    return replace(before, since=since, files=None)
