"""The law: no fault gives a 404, a shrunken answer to a read of all keys, or what was not written there.

- No key is answered 404, for removals are recorded, and none was.
- A value is one that was written for that key, at that place; of a key's version, the value of that version.
- All keys are answered to a read that names a version, and are those of that version. Each key file stands by
  itself, so that keys of several generations together are a version like any other.
- A fault that touches the files of some keys only leaves all others as they were written last.

Everything is read from the main process's snapshot and from those of the workers, by the very function that
decides every request.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms import Snapshot
from arcan_gitops.server.answers import Refusal
from arcan_gitops.server.decision import Decision, Kept
from tests.support.faults.world import World
from tests.support.faults.written import KEYS, NEVER, Written


class Broken(AssertionError):
    """The law was broken."""


@dataclass(frozen=True)
class Law:
    """Reads a world; `random` picks what of it, apart from what the faults are drawn by."""

    world: World
    random: random.Random = field(default_factory=lambda: random.Random(1))
    kept: Kept = field(default_factory=Kept)  # as of one worker, whichever snapshot it is asked for

    def hold(self, after: str) -> None:
        """Read everything. Raises `Broken`."""
        for snapshot in (self.world.snapshot, *self.world.workers):
            if snapshot is None:
                continue
            versions = self._versions(snapshot)
            for key in (*KEYS, NEVER):
                self._ask(snapshot, after, key, "")
                self._ask(snapshot, after, key, self.random.choice(self._key_versions(key)))
            for version in versions:
                self._ask(snapshot, after, None, version)
        if self.world.snapshot is not None:
            self._fresh(self.world.snapshot, after)

    def judge(self, key: str | None, version: str, status: int, body: bytes) -> None:
        """One answer. Raises `Broken`, which says of which key or version, and never the value."""
        asked = f"{key or 'all keys'}, version '{version}',"
        if status == 404:
            raise Broken(f"{asked} was answered 404")
        if status != 200:
            return
        answer = json.loads(body)
        values = answer["data"] if key is None else {key: answer["value"]}
        for name, value in values.items():
            if not value.endswith(f":{name}") or value not in self.world.written.versions or value[0] != "g":
                raise Broken(f"{asked} was answered with a value of another place, or key")
        if key is None:
            self._judge_all(version, values)
        elif version and version != self.world.written.versions[values[key]]:
            raise Broken(f"{asked} was answered with the value of another version")

    def _judge_all(self, version: str, values: dict[str, str]) -> None:
        if not version:
            raise Broken("all keys were answered without a version, where removals are recorded")
        mix = self.world.written.meant.get(version)
        if mix is not None and values != Written.values(mix):
            raise Broken(f"all keys of version '{version}' were not those of it")
        if self.world.written.version_of(values) != version:
            raise Broken(f"all keys of version '{version}' were a mix that has another one")

    def _versions(self, snapshot: Snapshot) -> list[str]:
        """Versions that people meant, and the one that the server has."""
        here = snapshot.environment(RealmName("shop"), EnvironmentName("prod"))
        own = () if here is None else (here.versions.document,)
        return ["", *own, *self.world.written.meant]

    def _key_versions(self, key: str) -> list[str]:
        """Versions of a key that people meant: the last, and another one."""
        if key == NEVER:
            return ["0123456789ab"]
        numbers = self.world.mix[key], *self.world.numbers()
        return [self.world.written.versions[f"g{number}:{key}"] for number in numbers]

    def _fresh(self, snapshot: Snapshot, after: str) -> None:
        """What no fault has touched is answered as it was written last."""
        if self.world.layout == "document" or self.world.dirty is None:
            return
        for key in sorted(set(KEYS) - self.world.dirty):
            status, body = self._answer(snapshot, key, "")
            if status == 401:
                return  # the clock: no token is valid any more
            if status != 200 or json.loads(body)["value"] != f"g{self.world.mix[key]}:{key}":
                raise Broken(f"after '{after}': {key}, whose file nothing touched, was not fresh ({status})")

    def _ask(self, snapshot: Snapshot, after: str, key: str | None, version: str) -> None:
        status, body = self._answer(snapshot, key, version)
        try:
            self.judge(key, version, status, body)
        except Broken as error:
            raise Broken(f"after '{after}': {error}") from None

    def _answer(self, snapshot: Snapshot, key: str | None, version: str) -> tuple[int, bytes]:
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": target(key),
            "QUERY_STRING": f"env=prod&version={version}",
            "HTTP_AUTHORIZATION": f"Bearer {self.world.token}",
        }
        try:
            body = Decision(_Published(snapshot), lambda: self.world.now, self.kept).read(environ)
            self.world.answers["200"] += 1
            return 200, body
        except Refusal as refused:
            self.world.answers[f"{refused.status} {refused.code}"] += 1
            return refused.status, b""


def target(key: str | None) -> str:
    """The path by which a key, or all of them, is asked for."""
    return "/api/v1/eso/shop" + ("" if key is None else f"/{key}")


@dataclass(frozen=True)
class _Published:
    """One process's view."""

    held: Snapshot

    def snapshot(self) -> Snapshot:
        return self.held

    def revoked(self, caller: Any) -> bool:
        return False

    def status(self) -> None:
        return None

    def draining(self) -> bool:
        return False

    def reload_failed(self) -> bool:
        return False
