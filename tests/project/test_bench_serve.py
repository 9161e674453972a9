"""The benchmark of serving: what it measures is really asked for, and its exit status follows the bounds."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
SVG = "{http://www.w3.org/2000/svg}"

# In the place of wrk: one request with the headers of the script that it is given, and what that gave.
CLIENT = f"""\
#!{sys.executable}
import http.client, json, os, re, ssl, sys, urllib.parse
script = open(sys.argv[sys.argv.index("-s") + 1]).read()
headers = {{json.loads(n): json.loads(v) for n, v in re.findall(r"^wrk.headers\\[(.*)\\] = (.*)$", script, re.M)}}
url = urllib.parse.urlsplit(sys.argv[-1])
connection = http.client.HTTPSConnection(url.hostname, url.port, context=ssl._create_unverified_context())
connection.request("GET", f"{{url.path}}?{{url.query}}", headers=headers)
answer = connection.getresponse()
answer.read()
failed = answer.status != 200
with open(os.path.join(os.path.dirname(__file__), "asked"), "a") as asked:
    print(url.path, *sys.argv[1:3], os.environ["BENCH_READS"], file=asked)
print("\\n" + json.dumps(dict(reads=100, microseconds=10**6, failed=int(failed), p50=1, p99=2, p999=3)))
"""


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("bench_serve")


def run(path: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPTS / "bench_serve.py", "--output", folder / "drawn", *options]
    environment = {**os.environ, "PATH": path, "XDG_CACHE_HOME": str(folder / "nothing-built")}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def test_everybody_that_is_there_is_asked_and_who_is_not_is_named_and_fails_the_bounds(tmp_path: Path):
    client = tmp_path / "wrk"
    client.write_text(CLIENT)
    client.chmod(0o755)
    done = run(str(tmp_path), tmp_path, "--rounds", "1", "--only", "keys-10, ")
    # the two cases of ten keys and no other: so that none of the bounds is measured
    assert [line for line in done.stdout.splitlines() if line.startswith("keys")] == [
        "keys-10, one connection",
        "keys-10, 16 connections",
    ], done.stdout + done.stderr
    assert done.stdout.count("arcan serve  ") == 2
    assert done.stdout.count("NOT MEASURED") == 6
    assert "missing: OpenBao is not built" in done.stdout
    assert done.returncode == 1
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked.count("/api/v1/eso/bench -t1 -c16 0") == 1
    assert asked.count("/keys-10 -t1 -c1 0") >= 2  # Flask and the plain callable, and nginx where it is
    numbers = json.loads((tmp_path / "drawn" / "results.json").read_text())
    [taken] = numbers["keys-10, one connection"]["plain WSGI"]
    assert taken.pop("cpu") >= 0
    assert taken == {"reads": 100, "p50": 0.001, "p99": 0.002, "p999": 0.003}
    chart = ElementTree.parse(tmp_path / "drawn" / "reads.svg").getroot()
    assert {"arcan serve", "plain WSGI", "keys-10, 16 connections", "reads a second"} <= {
        text.text for text in chart.iter(f"{SVG}text")
    }


def test_without_wrk_nothing_is_measured_and_that_is_a_failure(tmp_path: Path):
    done = run(str(tmp_path), tmp_path)
    assert done.returncode == 1
    assert "missing: wrk is not on PATH: apt-get install wrk" in done.stdout
    assert done.stdout.count("NOT MEASURED") == 6


def results(bench: ModuleType, **reads: list[float]) -> Any:
    """Of each bounded load, by peer; `ours` is arcan, and p50 is what one over the reads is."""
    found = bench.Results()
    names = {"ours": bench.ARCAN, "openbao": bench.OPENBAO, "plain": bench.PLAIN}
    for load in bench.LOADS:
        for name, rounds in reads.items():
            for one in rounds:
                found.add(bench.Case(load), names[name], bench.Measured(one, 1 / one, 2 / one, 3 / one, 50))
    return found


def test_the_bounds_are_judged_by_the_ratio_within_each_round(bench: ModuleType):
    # the machine was three times slower in the second round; in the third only Arcan was
    found = results(bench, ours=[40, 12, 1], openbao=[10, 3, 10], plain=[60, 18, 60])
    judged = list(bench.verdicts(found, []))
    assert [met for _, met in judged] == [True] * 6
    assert judged[1][0] == "16 connections: reads/s at least 4 times those of OpenBao: 4.00, met"


def test_a_ratio_outside_of_its_bound_is_a_failure(bench: ModuleType):
    judged = dict(bench.verdicts(results(bench, ours=[10], openbao=[10], plain=[20.1]), []))
    assert [line.rpartition(": ")[2] for line, met in judged.items() if not met] == [
        "1.00, MISSED",
        "1.00, MISSED",
        "1.00, MISSED",
        "1.00, MISSED",
        "2.01, MISSED",
    ]
    assert [line.rpartition(": ")[2] for line, met in judged.items() if met] == ["0.50, met"]


def test_a_measurement_in_which_a_request_failed_is_none(bench: ModuleType):
    wrk = importlib.import_module("bench_wrk")
    line = '{"reads":1000,"microseconds":500000,"failed":%d,"p50":100,"p99":2000,"p999":3000}'
    assert wrk.parsed(line % 0, "url", 0.05) == wrk.Measured(2000, 0.1, 2, 3, 50)
    with pytest.raises(wrk.LoadFailed, match="1 of 1000"):
        wrk.parsed(line % 1, "url", 0.05)
