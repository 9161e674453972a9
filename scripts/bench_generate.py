"""How fast overlays are generated, beside what Kustomize takes to build the same: `make bench-generate`.

    python scripts/bench_generate.py [--output build/bench-generate] [--rounds 3] [--apps 1000]
                                     [--growth 100,300,1000,3000,10000]

Every time is the wall clock of a command as a user runs it, the start of Python included: the median of some
rounds, in which the commands take turns (above 1,000 apps there is one round). Each round generates all files
anew, then runs the same with `--check`, then `kustomize build` of the overlay. There are two fleets (see
bench_fleet.py); the one that leaves Kustomize less to do is the one whose growth is drawn. Kustomize is not
asked for sizes that would take it longer than a minute.

Then a realm with a file for each key, in several sizes: how much longer `--check` takes for the most keys
than for the fewest, and whether that is no more than in proportion to them.

The ratio of the last line is that of `--apps` apps, in the worse fleet of the two. Exits 1 where it is 1 or
more, or where `--check` grows faster than the keys. Writes `growth.svg` into the folder.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench_measuring import Taken, measure, say
from line_chart import Line, Point, svg

SCRIPTS: Final = Path(__file__).resolve().parent
ARCAN: Final = Path(sys.executable).with_name("arcan")
PATIENCE: Final = 60  # seconds
OVERLAY: Final = "prod"
DRAWN, OTHER, FILES = "cluster-wide", "namespaced", "key-files"  # the fleets
KEYS_OF_AN_APP: Final = 5
NOISE: Final = 1.2  # of a clock on a machine that does other things too
GENERATE: Final = "arcan generate overlays"
BUILD: Final = "kustomize build"


class Compared(NamedTuple):
    """The medians for one fleet; `build` is None where Kustomize was not asked."""

    apps: int
    generate: Taken
    check: Taken
    build: Taken | None

    def __str__(self) -> str:
        cells = [f"{self.apps:>7,}", _cells(self.generate, self.apps), f"{self.check.seconds:>9.2f}"]
        cells.append(f"{'(over a minute)':>28}" if self.build is None else _cells(self.build, self.apps))
        return " ".join(cells)


_CELLS: Final = f" {'seconds':>10} {'apps/s':>9} {'MiB':>7}"
HEADER: Final = (
    f"{'':>7} {GENERATE:>28} {'--check':>9} {BUILD:>28}\n{'apps':>7}{_CELLS} {'seconds':>9}{_CELLS}"
)


def _cells(taken: Taken, apps: int) -> str:
    return f"{taken.seconds:>10.2f} {apps / taken.seconds:>9,.0f} {taken.mebibytes:>7.0f}"


def verdict(ratio: float) -> tuple[str, int]:
    """The last line, and the exit status: 1 where the ratio, as it is printed, is 1 or more."""
    shown = f"{ratio:.2f}"
    return f"ratio to kustomize build: {shown}", int(float(shown) >= 1)


@contextmanager
def fleet(kind: str, apps: int) -> Iterator[Path]:
    """The folder of a new one. Another process makes it: this one has to stay small (see `measure`)."""
    with tempfile.TemporaryDirectory() as name:
        say(f"{kind}: making {apps:,} apps")
        measure([sys.executable, SCRIPTS / "bench_fleet.py", name, str(apps), kind], SCRIPTS)
        yield Path(name)


def compare(root: Path, apps: int, rounds: int, *, build: bool) -> Compared:
    """The commands on one fleet, each once a round."""
    overlays = root / "kustomize" / "overlays"
    commands: dict[str, list[str | Path]] = {
        GENERATE: [ARCAN, "generate", "overlays"],
        "check": [ARCAN, "generate", "overlays", "--check"],
    }
    if build:
        commands[BUILD] = ["kustomize", "build", overlays / OVERLAY]
    runs: dict[str, list[Taken]] = defaultdict(list)
    for at in range(rounds):
        shutil.rmtree(overlays, ignore_errors=True)
        for name, command in commands.items():
            say(f"{apps:,} apps: round {at + 1} of {rounds}: {name}")
            runs[name].append(measure(command, root))
    assert len(list((overlays / OVERLAY).glob("*/apps/*.yaml"))) == apps
    middle = {name: Taken(*map(statistics.median, zip(*runs[name], strict=True))) for name in commands}
    return Compared(apps, middle[GENERATE], middle["check"], middle.get(BUILD))


def growth(sizes: Sequence[int], rounds: int) -> Iterator[Compared]:
    """The drawn fleet in all sizes."""
    last: Compared | None = None
    for apps in sizes:
        with fleet(DRAWN, apps) as root:
            last = compare(root, apps, rounds if apps <= 1000 else 1, build=affordable(last, apps))
        yield last


def affordable(last: Compared | None, apps: int) -> bool:
    """Whether Kustomize will be done in time, if its time grows by the square from the size before."""
    if last is None:
        return True
    return last.build is not None and last.build.seconds * (apps / last.apps) ** 2 < PATIENCE


def parts(root: Path) -> dict[str, float]:
    """The seconds of each part of one generation in that folder."""
    shutil.rmtree(root / "kustomize" / "overlays", ignore_errors=True)
    said = root / "parts.json"
    whole = measure([sys.executable, __file__, "--parts", said], root)
    found: dict[str, float] = json.loads(said.read_text())
    return {"start": whole.seconds - sum(found.values()), **found}


def write_parts(said: Path) -> None:
    """Run `arcan generate overlays` here, with a clock around the functions that it calls."""
    spent: dict[str, float] = {}

    def clock(module: str, name: str, part: str) -> None:
        spent[part] = 0.0
        home = importlib.import_module(module)
        function = getattr(home, name)

        def timed(*arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                spent[part] += time.perf_counter() - start

        setattr(home, name, timed)

    clock("arcan_gitops.cli.generate", "declared_apps", "apps")
    clock("arcan_gitops.cli.generate_plan", "catalogue_for", "realms")
    clock("arcan_gitops.cli.generate_plan", "build_overlays", "planning")
    clock("arcan_gitops.overlay.build", "emit", "emitting")
    clock("arcan_gitops.cli.generate", "check_or_write", "writing")
    importlib.import_module("arcan_gitops.cli").arcan.main(["generate", "overlays"], standalone_mode=False)
    spent["planning"] -= spent["emitting"]
    said.write_text(json.dumps(spent))


def linear(checks: Mapping[int, float]) -> tuple[str, int]:
    """What is said of the growth of `--check`, from its seconds by number of keys; and the exit status: 1
    where the keys became more, and the seconds more than in proportion.
    """
    fewest, most = min(checks), max(checks)
    times, wanted = checks[most] / checks[fewest], most / fewest
    sizes = ", ".join(f"{keys:,} keys {seconds:.2f} s" for keys, seconds in sorted(checks.items()))
    said = f"--check of key files: {sizes}: {wanted:.1f} times the keys take {times:.2f} times as long"
    return said, int(wanted > 1 and times > NOISE * wanted)


def of_key_files(sizes: Sequence[int], rounds: int) -> Iterator[Compared]:
    """The fleet with a realm in key files, with so many keys."""
    for keys in sizes:
        apps = keys // KEYS_OF_AN_APP
        with fleet(FILES, apps) as root:
            yield compare(root, apps, rounds, build=True)


def sizes_of(text: str) -> list[int]:
    """`100,300` as numbers."""
    return [int(size) for size in text.split(",")]


def main() -> int:
    """Print the tables, and draw the growth."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("build/bench-generate"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--apps", type=int, default=1000, help="what the ratio is for")
    parser.add_argument("--growth", type=sizes_of, default=sizes_of("100,300,1000,3000,10000"))
    parser.add_argument("--keys", type=sizes_of, default=sizes_of("1000,2000,4000"), help="in files")
    parser.add_argument("--parts", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.parts is not None:
        write_parts(arguments.parts)
        return 0
    if shutil.which("kustomize") is None:
        parser.error("kustomize is not on PATH: run `make bench-generate`, or `make tools` first")
    print(f"{DRAWN} stores, a namespace for twenty apps\n{HEADER}", flush=True)
    rows = []
    for row in growth(sorted({*arguments.growth, arguments.apps}), arguments.rounds):
        say("")
        print(row, flush=True)
        rows.append(row)
    print(f"\n{OTHER} stores, a namespace and so a store for each app\n{HEADER}", flush=True)
    with fleet(OTHER, arguments.apps) as root:
        other = compare(root, arguments.apps, arguments.rounds, build=True)
        spent = parts(root)
    say("")
    print(other)
    print(f"seconds of one run: {', '.join(f'{name} {seconds:.2f}' for name, seconds in spent.items())}")
    print(f"\n{DRAWN} stores, one realm with a file for each key, five an app\n{HEADER}", flush=True)
    checks = {}
    for row in of_key_files(sorted(set(arguments.keys)), arguments.rounds):
        say("")
        print(row, flush=True)
        checks[row.apps * KEYS_OF_AN_APP] = row.check.seconds
    said, grew = linear(checks)
    print(said)
    arguments.output.mkdir(parents=True, exist_ok=True)
    chart = arguments.output / "growth.svg"
    chart.write_text(drawn(rows))
    print(f"drawn in {chart}")
    line, status = verdict(max(ratios([*rows, other], arguments.apps)))
    print(line)
    return max(status, grew)


def ratios(rows: Sequence[Compared], apps: int) -> list[float]:
    """Ours divided by Kustomize's, for that size."""
    return [row.generate.seconds / row.build.seconds for row in rows if row.apps == apps and row.build]


def drawn(rows: Sequence[Compared]) -> str:
    """The SVG of the growth."""
    lines = [
        Line(GENERATE, [Point(row.apps, row.generate.seconds) for row in rows]),
        Line(BUILD, [Point(row.apps, row.build.seconds) for row in rows if row.build is not None]),
    ]
    title = f"From {rows[0].apps:,} to {rows[-1].apps:,} apps of five keys each, {DRAWN} stores"
    return svg(lines, title=title, x_label="declared apps", y_label="seconds")


if __name__ == "__main__":
    sys.exit(main())
