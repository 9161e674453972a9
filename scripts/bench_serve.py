"""How fast secrets are served, as a client on the socket sees it, beside other servers: `make bench-serve`.

    python scripts/bench_serve.py [--output build/bench-serve] [--rounds 5] [--seconds 1] [--workers 1]

`wrk` asks over TLS, on loopback, with one thread. Everybody serves one ECDSA certificate. `arcan serve` runs
as a user starts it, its audit log in a file. Beside it run OpenBao (KV v2, file storage, a file audit
device), nginx (the same bytes, constant), and, each under Granian with the settings of `arcan serve`, a
trivial route of Flask and a WSGI callable that does nothing.

In each round everybody is measured with each load for `--seconds`, one after the other. What is printed is
the median of the rounds; a ratio is the median of the ratios within each round, so that what else the machine
does counts little. `CPU us` is what the server's processes used for one read, in microseconds.

wrk resumes its TLS sessions where it connects anew, with all servers alike: a client that does not, such as
ESO, costs each of them the signature of a handshake more.

Writes `reads.svg` and `results.json` into the folder. Exits 1 where a bound is missed, or cannot be measured
because a program is missing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import bar_chart
import bench_wrk
from bench_measuring import say
from bench_peers import ARCAN, BULKS, FLASK, NGINX, OPENBAO, PLAIN, SINGLE, Missing, Peer, Servers, bulk
from bench_wrk import Load, LoadFailed, Measured

ALONE: Final = Load("one connection", 1)
MANY: Final = Load("16 connections", 16)
MORE: Final = Load("64 connections", 64)
EACH: Final = Load("new for each read", 16, 1)
TEN: Final = Load("new for 10 reads", 16, 10)
LOADS: Final = (ALONE, MANY, MORE, EACH, TEN)


@dataclass(frozen=True, slots=True)
class Case:
    """What is read, and how."""

    load: Load
    what: str = SINGLE

    def __str__(self) -> str:
        return self.load.name if self.what == SINGLE else f"{self.what}, {self.load.name}"


CASES: Final = (*map(Case, LOADS), *(Case(load, bulk(keys)) for keys in BULKS for load in (ALONE, MANY)))


@dataclass(frozen=True, slots=True)
class Bound:
    """What is asked of `arcan serve` with a load: so many times the reads of a peer at least, or with `p50`,
    so many times its p50 at most.
    """

    load: Load
    peer: str
    times: float
    p50: bool = False

    def __str__(self) -> str:
        what, limit = ("p50", "at most") if self.p50 else ("reads/s", "at least")
        return f"{self.load.name}: {what} {limit} {self.times:g} times those of {self.peer}"

    def met(self, ratio: float) -> bool:
        """Whether the ratio is within the bound, as both are printed."""
        shown = float(f"{ratio:.2f}")
        return shown <= self.times if self.p50 else shown >= self.times


BOUNDS: Final = (
    Bound(ALONE, OPENBAO, 2),
    Bound(MANY, OPENBAO, 4),
    Bound(TEN, OPENBAO, 2),
    Bound(EACH, OPENBAO, 1.2),
    Bound(MANY, PLAIN, 0.5),
    Bound(ALONE, PLAIN, 1.6, p50=True),
)


@dataclass
class Results:
    """The measurements of each case by peer, in the order of the rounds."""

    taken: dict[Case, dict[str, list[Measured]]] = field(default_factory=dict)

    def add(self, case: Case, peer: str, measured: Measured) -> None:
        self.taken.setdefault(case, {}).setdefault(peer, []).append(measured)

    def middle(self, case: Case, peer: str) -> Measured:
        """The median of each number."""
        return Measured(*map(statistics.median, zip(*self.taken[case][peer], strict=True)))

    def ratio(self, case: Case, peer: str, number: Callable[[Measured], float]) -> float | None:
        """Of Arcan to a peer: the median of what it was in each round. None where one was not measured."""
        ours, theirs = (self.taken.get(case, {}).get(name) for name in (ARCAN, peer))
        if not ours or not theirs:
            return None
        return statistics.median(number(one) / number(other) for one, other in zip(ours, theirs, strict=True))


def _reads(measured: Measured) -> float:
    return measured.reads


def _p50(measured: Measured) -> float:
    return measured.p50


_COLUMNS: Final = ("reads/s", "p50 ms", "p99 ms", "p99.9 ms", "CPU us", "arcan is")
_HEADER: Final = " " * 18 + "".join(f"{column:>11}" for column in _COLUMNS)


def table(case: Case, results: Results) -> Iterator[str]:
    """The lines of one case."""
    yield f"\n{case}"
    for peer in sorted(results.taken[case], key=lambda peer: peer != ARCAN):
        middle = results.middle(case, peer)
        times = "".join(f"{time:>11.3f}" for time in (middle.p50, middle.p99, middle.p999))
        ratio = None if peer == ARCAN else results.ratio(case, peer, _reads)
        last = "" if ratio is None else f"{ratio:>10.2f}x"
        yield f"  {peer:<16}{middle.reads:>11,.0f}{times}{middle.cpu:>11.0f}{last}"


def verdicts(results: Results, missing: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """A line for each bound, and whether it is met: what cannot be measured is not."""
    for bound in BOUNDS:
        number = _p50 if bound.p50 else _reads
        ratio = results.ratio(Case(bound.load), bound.peer, number)
        if ratio is None:
            yield f"{bound}: NOT MEASURED", False
        else:
            met = bound.met(ratio)
            yield f"{bound}: {ratio:.2f}, {'met' if met else 'MISSED'}", met
    for line in missing:
        yield f"missing: {line}", False


def drawn(results: Results) -> str:
    """The picture: reads a second."""
    groups = {
        str(case): {peer: results.middle(case, peer).reads for peer in peers}
        for case, peers in results.taken.items()
    }
    return bar_chart.svg(groups, title="Reads over TLS on loopback, by server", x_label="reads a second")


def started(servers: Servers, missing: list[str], workers: int) -> list[Peer]:
    """Everybody that can be had; what cannot is put into `missing`."""
    arcan = servers.arcan("--workers", str(workers))
    makers: list[Callable[[], Peer]] = [
        servers.openbao,
        lambda: servers.nginx(arcan),
        lambda: servers.granian(FLASK, "flask", arcan),
        lambda: servers.granian(PLAIN, "plain", arcan),
    ]
    peers = [arcan]
    for name, make in zip((OPENBAO, NGINX, FLASK, PLAIN), makers, strict=True):
        say(f"starting {name}")
        try:
            peers.append(make())
        except Missing as error:
            missing.append(str(error))
    # next to Arcan those that bounds are about: what else the machine does counts less from one to the next
    return sorted(peers, key=lambda peer: (PLAIN, ARCAN, OPENBAO, NGINX, FLASK).index(peer.name))


def measure(peers: Sequence[Peer], cases: Sequence[Case], rounds: int, seconds: int) -> Results:
    """Everybody in turn. Raises `LoadFailed`."""
    results = Results()
    for at in range(rounds):
        for case in cases:
            for peer in peers:
                say(f"round {at + 1} of {rounds}: {case}: {peer.name}")
                if peer.grows is not None:
                    with suppress(OSError):
                        peer.grows.open("r+b").truncate(0)
                measured = bench_wrk.run(case.load, peer.url(case.what), peer.headers, seconds, peer.cpu)
                results.add(case, peer.name, measured)
    say("")
    return results


def main() -> int:
    """Print the tables, and draw the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("build/bench-serve"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1, help="of each measurement")
    parser.add_argument("--workers", type=int, default=1, help="of arcan serve")
    parser.add_argument("--only", default="", help="cases whose name has this text")
    arguments = parser.parse_args()
    missing: list[str] = []
    if shutil.which("wrk") is None:
        missing.append("wrk is not on PATH: apt-get install wrk")
    results = Results()
    if not missing:
        cases = [case for case in CASES if arguments.only in str(case)]
        with tempfile.TemporaryDirectory() as folder, Servers(Path(folder)) as servers:
            try:
                peers = started(servers, missing, arguments.workers)
                results = measure(peers, cases, arguments.rounds, arguments.seconds)
            except LoadFailed as error:
                say("")
                print(f"failed: {error}", file=sys.stderr)
                return 1
        print(_HEADER)
        for case in results.taken:
            print("\n".join(table(case, results)))
        write(results, arguments.output)
    print()
    judged = list(verdicts(results, missing))
    print("\n".join(line for line, _ in judged))
    return 0 if all(met for _, met in judged) else 1


def write(results: Results, folder: Path) -> None:
    """The picture, and every number."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reads.svg").write_text(drawn(results))
    numbers = {
        str(case): {peer: [one._asdict() for one in taken] for peer, taken in peers.items()}
        for case, peers in results.taken.items()
    }
    (folder / "results.json").write_text(json.dumps(numbers, indent=1) + "\n")
    print(f"\ndrawn in {folder / 'reads.svg'}")


if __name__ == "__main__":
    sys.exit(main())
