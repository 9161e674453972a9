"""`wrk` as the client of a benchmark: a load, and what one server made of it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple


class Load(NamedTuple):
    """How a server is asked; each of the connections sends its next request when it has the answer."""

    name: str
    connections: int
    reads: int = 0  # on each connection, on the average, until it is closed; 0: it is kept


class Measured(NamedTuple):
    """What came of one load; latencies in milliseconds."""

    reads: float  # a second
    p50: float
    p99: float
    p999: float
    cpu: float  # microseconds that the server used for one read


# Of one thread of wrk, which is all that there is. Each request that closes is one of a connection that the
# others have used as well, so that a share of 1 in 10 makes 10 reads a connection.
_SCRIPT: Final = """
local every, sent, path, headers = tonumber(os.getenv("BENCH_READS")), 0, nil, {}
function init()
  for name, value in pairs(wrk.headers) do headers[name] = value end
  headers["Connection"] = "close"
  open, shut = wrk.format("GET", wrk.path), wrk.format("GET", wrk.path, headers)
end
if every > 0 then
  math.randomseed(1)
  function request()
    if math.random(every) == 1 then return shut end
    return open
  end
end
function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\\n{"reads":%d,"microseconds":%d,"failed":%d,"p50":%d,"p99":%d,"p999":%d}\\n',
    summary.requests, summary.duration, failed,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
"""


class LoadFailed(Exception):
    """The measurement says nothing: requests failed, or wrk did."""


def run(load: Load, url: str, headers: Mapping[str, str], seconds: int, cpu: Callable[[], float]) -> Measured:
    """Ask for `url` as `load` says; `cpu` gives the seconds that the server has used so far.

    Raises `LoadFailed` where one answer was none, or no 2xx or 3xx.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "load.lua")
        # the token goes into a file that nobody else can read, and on no command line
        lines = [f"wrk.headers[{json.dumps(name)}] = {json.dumps(text)}" for name, text in headers.items()]
        script.touch(0o600)
        script.write_text("\n".join([*lines, _SCRIPT]))
        command = ["wrk", "-t1", f"-c{load.connections}", f"-d{seconds}s", "-s", str(script), url]
        environment = {"PATH": os.environ.get("PATH", os.defpath), "BENCH_READS": str(load.reads)}
        before = cpu()
        done = subprocess.run(
            command, env=environment, check=False, capture_output=True, text=True, timeout=30 + 2 * seconds
        )
    used = cpu() - before
    last = done.stdout.strip().rpartition("\n")[2]
    if done.returncode != 0 or not last.startswith("{"):
        raise LoadFailed(f"wrk failed on {url}: {done.stderr.strip() or done.stdout.strip()}")
    return parsed(last, url, used)


def parsed(line: str, url: str, used: float) -> Measured:
    """The last line of the script; `used` seconds of CPU went into it. Raises `LoadFailed`."""
    found = json.loads(line)
    if found["failed"] or not found["reads"]:
        raise LoadFailed(f"{url}: {found['failed']} of {found['reads']} requests failed")
    p50, p99, p999 = (found[name] / 1000 for name in ("p50", "p99", "p999"))
    reads = found["reads"]
    return Measured(reads * 1e6 / found["microseconds"], p50, p99, p999, used * 1e6 / reads)
