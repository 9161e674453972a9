"""The benchmark of generation says what it promises to say, and its exit status follows."""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("bench_generate")


def test_the_last_line_is_the_ratio_and_the_growth_is_drawn(tmp_path: Path):
    command = [
        sys.executable,
        SCRIPTS / "bench_generate.py",
        "--apps",
        "5",
        "--growth",
        "5,10",
        "--keys",
        "25,50",
        "--rounds",
        "1",
    ]
    done = subprocess.run(
        [*command, "--output", tmp_path / "drawn"], check=False, capture_output=True, text=True
    )
    *table, last = done.stdout.splitlines()
    ratio = re.fullmatch(r"ratio to kustomize build: (\d+\.\d\d)", last)
    assert ratio is not None, done.stdout + done.stderr
    [checked] = [line for line in table if line.startswith("--check")]
    grown = re.fullmatch(
        r"--check of key files: 25 keys .* s, 50 keys .*: 2\.0 times .* take (\d\.\d+) .*", checked
    )
    assert grown is not None, checked
    assert done.returncode == (float(ratio[1]) >= 1 or float(grown[1]) > 2.4)
    assert [line.split()[0] for line in table if re.match(r" +\d", line)] == ["5", "10", "5", "5", "10"]
    chart = ElementTree.parse(tmp_path / "drawn" / "growth.svg").getroot()
    texts = [text.text for text in chart.iter(f"{SVG}text")]
    assert {"arcan generate overlays", "kustomize build", "declared apps", "seconds"} <= set(texts)
    assert [len(line.attrib["points"].split()) for line in chart.iter(f"{SVG}polyline")] == [2, 2]


@pytest.mark.parametrize(
    ("ratio", "shown", "status"),
    [(0.284, "0.28", 0), (0.994, "0.99", 0), (0.996, "1.00", 1), (1.0, "1.00", 1), (12.3, "12.30", 1)],
)
def test_a_ratio_that_is_shown_as_one_or_more_is_a_failure(
    bench: ModuleType, ratio: float, shown: str, status: int
):
    assert bench.verdict(ratio) == (f"ratio to kustomize build: {shown}", status)


@pytest.mark.parametrize(
    ("checks", "said", "status"),
    [
        ({1000: 1.0, 2000: 1.5, 4000: 2.5}, "4.0 times the keys take 2.50 times as long", 0),
        ({1000: 1.0, 4000: 4.7}, "4.0 times the keys take 4.70 times as long", 0),
        ({1000: 1.0, 4000: 4.9}, "4.0 times the keys take 4.90 times as long", 1),
        ({1000: 1.0}, "1.0 times the keys take 1.00 times as long", 0),
    ],
)
def test_a_check_that_grows_faster_than_the_keys_is_a_failure(
    bench: ModuleType, checks: dict[int, float], said: str, status: int
):
    line, found = bench.linear(checks)
    assert line.endswith(said)
    assert found == status


def test_kustomize_is_not_asked_for_what_would_take_it_longer_than_a_minute(bench: ModuleType):
    def took(seconds: float | None) -> object:
        build = None if seconds is None else bench.Taken(seconds, 100)
        return bench.Compared(1000, bench.Taken(1, 50), bench.Taken(1, 50), build)

    assert bench.affordable(None, 10_000)
    assert bench.affordable(took(6), 3000)
    assert not bench.affordable(took(7), 3000)
    assert not bench.affordable(took(None), 3000)
    assert str(took(None)).endswith("(over a minute)")


def test_the_ratio_is_that_of_the_worse_fleet_in_the_size_that_was_asked_for(bench: ModuleType):
    def row(apps: int, ours: float, theirs: float) -> object:
        return bench.Compared(apps, bench.Taken(ours, 50), bench.Taken(ours, 50), bench.Taken(theirs, 100))

    assert bench.ratios([row(100, 5, 1), row(1000, 1, 2), row(1000, 1, 4)], 1000) == [0.5, 0.25]
