"""A read that was granted is kept with its snapshot, and decides nothing that the time or a later snapshot does."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from types import MappingProxyType

import pytest

from arcan_gitops.access import Account, Caller
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.server import decision
from arcan_gitops.server.answers import Answer
from arcan_gitops.server.audit import AuditLog
from arcan_gitops.server.decision import Decision, Kept
from arcan_gitops.server.edge import Edge
from tests.support import edge_answers
from tests.support.realm_files import CANARY

SHOP, PROD = RealmName("shop"), EnvironmentName("prod")
ONE = edge_answers.Asked(edge_answers.ONE)
ALL = edge_answers.Asked("/api/v1/eso/shop")


class Recorded(AuditLog):
    """Takes the fields of lines, and writes none."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def write(self, fields: str, least: str = "") -> None:
        self.taken.append(re.sub(r'"request_id":"[0-9a-f]{16}"', "", fields + least))

    def refuse(self, source: object, fields: str, least: str = "") -> None:
        self.write(fields, least)


class World(edge_answers.Process):
    """One application, whose clock, list of revoked tokens and snapshot a test changes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = edge_answers.NOW
        self.all_revoked = False
        self.audit = Recorded()
        self.edge = Edge(self, self.audit, self, clock=lambda: self.now)

    def revoked(self, caller: Caller | Account) -> bool:
        return self.all_revoked or super().revoked(caller)

    def ask(self, asked: edge_answers.Asked = ONE) -> tuple[int, str]:
        """Status, and the value or the code."""
        answer = self.edge.respond(asked.environ())
        body = json.loads(answer.body)
        return answer.status, body.get("value") or body.get("data") or body["error"]["code"]

    def load(self, values: dict[str, str] | None) -> None:
        """Another snapshot, whose tokens are the same ones; None: the environment could not be loaded."""
        assert self.held is not None
        failed = frozenset({(SHOP, PROD)} if values is None else ())
        loaded = {} if values is None else {PROD: edge_answers.environment(values)}
        self.held = replace(self.held, environments=MappingProxyType({SHOP: loaded}), failed=failed)


@pytest.fixture
def world() -> World:
    """It has answered a read, and keeps it."""
    world = World()
    assert world.ask()[0] == world.ask()[0] == 200
    return world


def test_the_whole_table_is_answered_and_recorded_alike_by_an_application_that_has_answered_it() -> None:
    world = World()
    asked = [one for one in edge_answers.table() if not one.process]
    first, second = ([_steady(world.edge.respond(one.environ())) for one in asked] for _ in range(2))
    assert first == second
    lines = world.audit.taken
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]


def _steady(answer: Answer) -> Answer:
    return answer._replace(headers=[header for header in answer.headers if header[0] != "X-Request-Id"])


def test_the_next_snapshot_is_answered_from_at_once(world: World) -> None:
    world.load({"DATABASE_URL": "rotated"})
    assert world.ask() == world.ask() == (200, "rotated")
    world.load({"OTHER": "x"})
    assert world.ask() == world.ask() == (404, "key_not_found")
    world.load({"DATABASE_URL": "back"})
    assert world.ask() == (200, "back")
    world.load(None)
    assert world.ask() == (503, "not_loaded")
    world.held = None
    assert world.ask() == (503, "not_loaded")


def test_a_token_that_ends_or_is_revoked_is_refused_though_its_read_is_kept(world: World) -> None:
    world.all_revoked = True
    assert world.ask() == (401, "unauthorized")
    world.all_revoked = False
    assert world.ask()[0] == 200
    ending = edge_answers.Asked(edge_answers.ONE, token="expired")
    world.now = edge_answers.NOW - 61
    assert world.ask(ending)[0] == world.ask(ending)[0] == 200
    world.now = edge_answers.NOW
    assert world.ask(ending) == (401, "unauthorized")


def test_what_one_token_was_granted_is_refused_to_another(world: World) -> None:
    for token, code in (("narrow", 200), ("other", 403), ("staging", 403), ("unknown", 401), (None, 401)):
        assert world.ask(edge_answers.Asked(edge_answers.ONE, token=token))[0] == code
    assert world.ask(ALL)[0] == 200
    assert world.ask(replace(ALL, token="narrow")) == (403, "bulk_needs_all_keys")


def test_what_is_kept_is_bounded_however_a_read_is_spelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision, "_MOST_KEPT_BYTES", 200_000)
    process, kept = edge_answers.Process(), Kept()
    spelled = [(letter, f"%{ord(letter):02x}", f"%{ord(letter):02X}") for letter in "envprod"]
    names = ["".join([*letters[:3], "=", *letters[3:]]) for letters in itertools.product(*spelled)]
    most = 0
    for query in names:
        body = Decision(process, lambda: edge_answers.NOW, kept).read(
            edge_answers.Asked(ONE.path, query).environ()
        )
        assert CANARY in body.decode()
        most = max(most, len(kept._reads))
    assert 100 < most < 200 < len(set(names))


def test_all_keys_are_kept_too_unless_they_are_very_long() -> None:
    for length, is_kept in ((100_000, True), (1_100_000, False)):
        world, kept = World(), Kept()
        world.load({"DATABASE_URL": "x" * length})
        assert len(Decision(world, lambda: edge_answers.NOW, kept).read(ALL.environ())) > length
        assert bool(kept._reads) is is_kept
