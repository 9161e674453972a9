"""Keeps one worker answering while others take its connections and descriptors.

- Descriptors: Granian's loop spins for good once accept(2) fails for want of one. So a worker that runs short
  stops accepting before that, and goes on when there is room.
- Connections that have not shown a valid token: when it is tight they have two seconds; the oldest goes
  first. One that has shown a token is never closed for the others' sake.
- Clients that do not read what they asked for: ten seconds without progress.

Granian offers none of this. It runs on the listener's descriptor: with another socket in that place, one that
nobody connects to, it accepts nothing and serves what it has.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Final

from arcan_gitops.server import connections
from arcan_gitops.server.gauges import Field, Row

_STEP_SECONDS: Final = 0.05
_SCAN_SECONDS: Final = 0.25  # between two looks at each connection, and the share of a look in the time below
_SCAN_SHARE: Final = 20
_FIRST_REQUEST_SECONDS: Final = 2.0  # from the accept, when it is tight
_STALLED_SECONDS: Final = 10.0
_PROGRESS_BYTES: Final = 16 * 1024  # at least, in that time
_ANSWER_SECONDS: Final = 0.25  # from the decision until the answer is on its way, at most
_AROUND_SECONDS: Final = (-0.010, 0.021)  # nearly always: the kernel counts in steps of up to 10 ms, we of 1
_KEPT_ANSWERS: Final = 4096
_SETTLED_SECONDS: Final = 0.1  # an answer that is younger may not have gone out yet
_SHOWN_ENOUGH: Final = 2  # answers on one connection; more make no difference
_SPARE: Final = 4
_WAKES: Final = 3
_NEARLY: Final = 0.9  # of the connections that are allowed


@dataclass(slots=True)
class _Known:
    inode: int
    address: str
    since: float
    shown: int = 0  # answers to a valid token that went out on it, as far as one can tell
    sent: float = 0.0  # when data last went out
    progress: float = 0.0  # when the client last took enough of what waits for it
    acked: int = 0  # by then


_SENT: Final = attrgetter("sent")


class Guard:
    """One for a worker. `step` is called by its own thread, the rest from the thread of a request."""

    def __init__(self, listener: socket.socket, allowed_connections: int, row: Row) -> None:
        self._place = listener.fileno()  # where Granian accepts
        self._listener = socket.socket(fileno=os.dup(self._place))
        self._nobody = socket.socket(listener.family, socket.SOCK_STREAM)
        self._nobody.bind(("::1" if listener.family == socket.AF_INET6 else "127.0.0.1", 0))
        self._nobody.listen(1)
        self._nobody.setblocking(False)
        self._allowed_connections = allowed_connections
        self._row = row
        allowed = connections.descriptors_allowed()
        self._reserve = max(16, min(256, allowed // 8))
        self._room = allowed - self._reserve
        # what a look at the connections needs itself
        self._spare = [os.dup(self._place) for _ in range(_SPARE)]
        self._known: dict[int, _Known] = {}
        self._answers: deque[tuple[float, str]] = deque(maxlen=_KEPT_ANSWERS)
        self._noted, self._noted_address = 0, ""  # of the newest one
        self._lock = threading.Lock()  # over the two below
        self._accepting = True
        self.retired = False  # whether connections are to be closed after their next answer
        self._next_scan = 0.0

    def start(self) -> None:
        """Start the thread; it ends with the process."""
        threading.Thread(target=self._run, name="arcan-guard", daemon=True).start()

    def answered(self, address: str) -> None:
        """A request from there was answered, and had a valid token; one in a millisecond is enough."""
        millisecond = int(time.monotonic() * 1000)
        if millisecond != self._noted or address != self._noted_address:
            self._noted, self._noted_address = millisecond, address
            self._answers.append((millisecond / 1000, address))

    def retire(self) -> None:
        """Accept no more, for good; what is open is served on."""
        self.retired = True
        self._stop_accepting()

    def _run(self) -> None:
        while True:
            time.sleep(_STEP_SECONDS)
            with contextlib.suppress(OSError):  # a descriptor that went away between two looks
                self.step()

    def step(self) -> None:
        """One look."""
        if connections.descriptors_used() > self._room:
            self._stop_accepting()
            while self._spare:  # only now: what accepts would take them
                os.close(self._spare.pop())
        short = not self._accepting and not self.retired
        now = time.monotonic()
        if now >= self._next_scan:
            self._scan(now, short=short)
            self._next_scan = now + max(_SCAN_SECONDS, _SCAN_SHARE * (time.monotonic() - now))
        if short and connections.descriptors_used() < self._room - self._reserve:
            self._accept_again()

    def _scan(self, now: float, *, short: bool) -> None:
        seen: dict[int, _Known] = {}
        for descriptor, inode in connections.sockets():
            known = self._known.get(descriptor)
            if known is None or known.inode != inode:
                address = connections.peer(descriptor)
                if address is None:
                    continue
                known = _Known(inode, address, now, progress=now)
            seen[descriptor] = known
        self._known = seen
        self._row[Field.CONNECTIONS] = len(seen)
        for descriptor, known in seen.items():
            self._look(descriptor, known, now)
        self._attribute_answers(now - _SETTLED_SECONDS)
        if short or len(seen) >= _NEARLY * self._allowed_connections:
            self._close_silent(now)

    def _attribute_answers(self, until: float) -> None:
        """Find the connections that answers to a valid token went out on: by address and time.

        Another connection of that address may be taken for one of them, and is spared until it is idle. Where
        every connection of an address has shown enough already, there is nothing to find: on a busy server
        that is nearly always so, and looking would keep the requests waiting.
        """
        by_address: dict[str, list[_Known]] = {}
        for known in sorted(self._known.values(), key=_SENT):
            by_address.setdefault(known.address, []).append(known)
        to_find = {
            address: sum(known.shown < _SHOWN_ENOUGH for known in found)
            for address, found in by_address.items()
        }
        while self._answers and self._answers[0][0] <= until:
            when, address = self._answers.popleft()
            if not to_find.get(address):
                continue
            found = by_address[address]
            first = bisect_left(found, when + _AROUND_SECONDS[0], key=_SENT)
            exact = found[first : bisect_right(found, when + _AROUND_SECONDS[1], key=_SENT)]
            if not exact and first < len(found) and found[first].sent <= when + _ANSWER_SECONDS:
                exact = [found[first]]
            for known in exact:
                known.shown += 1
                to_find[address] -= known.shown == _SHOWN_ENOUGH

    def _look(self, descriptor: int, known: _Known, now: float) -> None:
        found = connections.info(descriptor)
        if found is None:
            return
        known.sent = now - found.sent_ago
        if found.acked - known.acked >= _PROGRESS_BYTES or not connections.unsent(descriptor):
            known.progress, known.acked = now, found.acked
        elif now - known.progress >= _STALLED_SECONDS:
            self._close(descriptor, known)

    def _close_silent(self, now: float) -> None:
        """Those that have not shown a token in time.

        Where there are none at all, and others wait, those that are idle and have shown the least.
        """
        victims = {number: known for number, known in self._known.items() if not known.shown}
        if victims:
            victims = {
                number: known
                for number, known in victims.items()
                if now - known.since >= _FIRST_REQUEST_SECONDS
            }
        elif (waiting := connections.info(self._listener.fileno())) and waiting.queued:
            idle = (
                (number, known)
                for number, known in self._known.items()
                if known.shown < _SHOWN_ENOUGH and now - known.sent >= _FIRST_REQUEST_SECONDS
            )
            victims = dict(islice(idle, waiting.queued))
        for number, known in sorted(victims.items(), key=lambda each: each[1].since):
            self._close(number, known)

    def _close(self, descriptor: int, known: _Known) -> None:
        if connections.abort(descriptor, known.inode):
            self._row[Field.CLOSED] += 1

    def _stop_accepting(self) -> None:
        with self._lock:
            if self._accepting:
                os.dup2(self._nobody.fileno(), self._place, inheritable=False)
                self._accepting = False
                self._row[Field.ACCEPTING] = 0

    def _accept_again(self) -> None:
        with self._lock:
            if self.retired:
                return
            self._spare += [os.dup(self._place) for _ in range(_SPARE - len(self._spare))]
            os.dup2(self._listener.fileno(), self._place, inheritable=False)
            self._accepting = True
            self._row[Field.ACCEPTING] = 1
        self._wake()

    def _wake(self) -> None:
        """Granian is told of connections by edges: the next one makes it take all that wait."""
        found = connections.info(self._place)
        if found is None or not found.queued:
            return
        host, port = self._listener.getsockname()[:2]
        target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared only
        for _ in range(_WAKES):
            with socket.socket(self._listener.family, socket.SOCK_STREAM) as own:
                own.settimeout(_STEP_SECONDS)
                try:
                    own.connect((target, port))
                except TimeoutError:  # the queue is full, so that nobody gets in: make room for one
                    with contextlib.suppress(BlockingIOError):
                        self._listener.accept()[0].close()
                else:
                    return
