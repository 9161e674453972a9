"""Which connections have shown a valid token is found by the address and the time of the answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from arcan_gitops.server import guard as guard_module
from arcan_gitops.server.gauges import Gauges
from arcan_gitops.server.guard import Guard, _Known

ESO, STRANGER = "10.0.0.1", "10.6.6.6"


class World:
    """A guard, its clock, and connections of which a test says when data last went out."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.now = 1000.0

    def connection(self, address: str, sent: float) -> _Known:
        number = len(self.guard._known)
        known = self.guard._known[number] = _Known(number, address, 900.0, sent=sent)
        return known

    def answered(self, when: float, address: str = ESO) -> None:
        self.now = when
        self.guard.answered(address)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        world = World(Guard(listener, 100, Gauges(1).free()))
        monkeypatch.setattr(guard_module, "time", SimpleNamespace(monotonic=lambda: world.now))
        yield world
        world.guard._listener.close()
        world.guard._nobody.close()


def test_the_connection_whose_data_went_out_then_has_shown_a_token(world: World) -> None:
    mine, idle = world.connection(ESO, 1000.001), world.connection(ESO, 990.0)
    other = world.connection(STRANGER, 1000.001)
    world.answered(1000.0005)
    world.answered(1000.0015)
    world.guard._attribute_answers(1001.0)
    assert (mine.shown, idle.shown, other.shown) == (2, 0, 0)


def test_of_many_answers_in_a_millisecond_one_is_noted_for_each_address(world: World) -> None:
    for _ in range(500):
        world.answered(1000.0)
    world.answered(1000.0, STRANGER)
    world.answered(1000.001)
    assert len(world.guard._answers) == 3


def test_a_busy_connection_is_found_though_its_data_went_out_later_too(world: World) -> None:
    busy, idle = world.connection(ESO, 1000.2), world.connection(ESO, 999.0)
    for millisecond in range(100):
        world.answered(1000 + millisecond / 1000)
    world.guard._attribute_answers(1001.0)
    assert busy.shown >= 2
    assert not idle.shown


def test_an_answer_of_before_is_not_taken_for_one_to_a_connection_that_came_later(world: World) -> None:
    early = world.connection(ESO, 1000.0)
    early.shown = 5
    world.answered(1000.0)
    world.guard._attribute_answers(1000.1)  # there is nothing to find
    early.sent, late = 1000.4, world.connection(ESO, 1000.2)
    world.guard._attribute_answers(1001.0)
    assert not late.shown


def test_answers_that_may_not_have_gone_out_yet_wait(world: World) -> None:
    mine = world.connection(ESO, 1000.0)
    world.answered(1000.0)
    world.guard._attribute_answers(999.9)
    assert not mine.shown
    world.guard._attribute_answers(1000.1)
    assert mine.shown
