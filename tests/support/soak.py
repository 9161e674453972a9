"""A server under reads and reloads for a long time: no request fails, and no process grows.

python -m tests.support.soak --requests 1000000 --reloads 1000
"""

from __future__ import annotations

import argparse
import http.client
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.live_server import LiveServer, create_token
from tests.support.realm_files import RealmFiles

READERS = 4
SAY_SECONDS = 10.0  # between two lines of progress
MOST_GROWTH_MEBIBYTES = 24.0  # of one process, from a tenth of the way to the end
_TARGET = "/api/v1/eso/shop?env=prod"


@dataclass
class Soak:
    """What happened: `failures` says how each failed request did, `growth` is in MiB, of the worst process."""

    requests: int = 0
    reloads: int = 0
    failures: list[str] = field(default_factory=list)
    growth: float = 0.0

    @property
    def sound(self) -> bool:
        return not self.failures and self.growth <= MOST_GROWTH_MEBIBYTES


def soak(
    folder: Path, requests: int, reloads: int, tell: Callable[[Soak], object] = lambda done: None
) -> Soak:
    """Read `requests` times on kept connections, beside `reloads` changes of the document.

    `tell` is called now and then with what has happened so far.
    """
    files = RealmFiles(folder)
    done = Soak()
    files.write("shop", "prod", _document(0))
    token = create_token(files, "shop", "eso")
    lock = threading.Lock()
    with LiveServer(files, folder / "server", "--workers", "2") as server:

        def read() -> None:
            connection: http.client.HTTPSConnection | None = None
            while True:
                with lock:
                    if done.requests >= requests:
                        return
                    done.requests += 1
                try:
                    connection = connection or server.connect()
                    connection.request("GET", _TARGET, headers={"Authorization": f"Bearer {token}"})
                    response = connection.getresponse()
                    body = response.read()
                    if response.status != 200 or body.count(b'"v') != 50:
                        raise ValueError(f"status {response.status}, {len(body)} bytes")
                except (OSError, ValueError, http.client.HTTPException) as error:
                    done.failures.append(repr(error))
                    connection = None

        readers = [threading.Thread(target=read, daemon=True) for _ in range(READERS)]
        for reader in readers:
            reader.start()
        before: dict[int, float] = {}
        told = time.monotonic()
        while any(reader.is_alive() for reader in readers) or done.reloads < reloads:
            if done.reloads < reloads:
                done.reloads += 1
                files.write("shop", "prod", _document(done.reloads))
                server.reload()
            else:
                time.sleep(0.1)
            if time.monotonic() - told >= SAY_SECONDS:
                told = time.monotonic()
                tell(done)
            if not before and done.requests >= requests / 10 and done.reloads >= reloads / 10:
                before = _memory(server)
        for reader in readers:
            reader.join()
        after = _memory(server)
        done.growth = max((after[pid] - before[pid] for pid in after.keys() & before.keys()), default=0.0)
    return done


def _document(number: int) -> str:
    return "".join(f"KEY_{key}: v{number}\n" for key in range(50))


def _memory(server: LiveServer) -> dict[int, float]:
    """MiB that each process has resident."""
    main = server.process.pid
    workers = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    found = {}
    for pid in (main, *map(int, workers)):
        status = Path(f"/proc/{pid}/status").read_text()
        found[pid] = int(status.split("VmRSS:", 1)[1].split()[0]) / 1024
    return found


def _say(done: Soak) -> None:
    print(f"{done.requests} requests, {done.reloads} reloads, {len(done.failures)} failures", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--reloads", type=int, default=1000)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server ends too
    with tempfile.TemporaryDirectory() as folder:
        done = soak(Path(folder), arguments.requests, arguments.reloads, _say)
    _say(done)
    print(f"{done.growth:+.1f} MiB")
    for failure in done.failures[:10]:
        print(f"  {failure}")
    sys.exit(not done.sound)


if __name__ == "__main__":
    main()
