"""An audit log that takes no lines: no answers, no hanging, and an end of it by itself."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arcan_gitops.server import logs
from tests.server.test_metrics import samples
from tests.support.live_server import LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles

TARGET = "/api/v1/eso/shop/A?env=prod"


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"A: {CANARY}\n")
    return files


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    """The two ends of a pipe that takes 4096 bytes."""
    ends = os.pipe()
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 4096)
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


def read_all(descriptor: int, into: list[bytes], stop: threading.Event) -> None:
    os.set_blocking(descriptor, False)
    while True:
        last = stop.is_set()
        try:
            into.append(os.read(descriptor, 65536))
        except BlockingIOError:
            if last:
                return
            time.sleep(0.02)


def test_a_reader_of_standard_output_that_stalls_stops_reads_and_nothing_else(
    files: RealmFiles, tmp_path: Path
) -> None:
    token = create_token(files, "shop", "eso")
    with pipe() as (read, write):
        server = LiveServer(files, tmp_path / "server", "--workers", "2", "--metrics-port", "0")
        server.stdout = write
        with server:
            statuses = [server.get(TARGET, token).status for _ in range(40)]
            answered = statuses.count(200)
            assert statuses == [200] * answered + [503] * (40 - answered)
            assert 0 < answered < 40
            for target, status in (("/livez", 200), ("/readyz", 503), (TARGET, 503)):
                began = time.monotonic()
                answer = server.get(target, token)
                assert (answer.status, CANARY in answer.body.decode()) == (status, False)
                assert time.monotonic() - began < 1
            assert server.ready() == {"status": "audit_unavailable"}
            assert samples(server)["arcan_audit_failing"] == 1
            assert server.log.count("its reader has stalled") <= 2  # once for each worker
            assert not fcntl.fcntl(write, fcntl.F_GETFL) & os.O_NONBLOCK  # others hold it too

            taken: list[bytes] = []
            stop = threading.Event()
            reader = threading.Thread(target=read_all, args=(read, taken, stop))
            reader.start()
            try:
                server.wait(lambda: server.get("/readyz").status == 200)
                server.wait(lambda: samples(server)["arcan_audit_failing"] == 0)
                assert server.get(TARGET, token).status == 200
            finally:
                stop.set()
                reader.join()
    lines = [json.loads(line) for line in b"".join(taken).splitlines()]
    assert [line["status"] for line in lines if "status" in line] == [200] * (answered + 1)
    unrecorded = sum(line["unrecorded"] for line in lines if line.get("event") == "resumed")
    assert unrecorded == 40 - answered + 1


def test_a_full_disk_is_known_to_readyz_and_the_metrics(files: RealmFiles, tmp_path: Path) -> None:
    token = create_token(files, "shop", "eso")
    options = ("--audit-log", "/dev/full", "--metrics-port", "0")
    with LiveServer(files, tmp_path / "server", *options) as server:
        for target, presented in ((TARGET, token), (TARGET, None), (TARGET, token)):
            answer = server.get(target, presented)
            assert (answer.status, answer.code) == (503, "audit_unavailable")
            assert CANARY not in answer.body.decode()
        assert server.get("/readyz").status == 503
        assert server.get("/livez").status == 200
        assert samples(server)["arcan_audit_failing"] == 1
        assert server.log.count("No space left on device") == 1


def test_the_servers_own_log_never_waits_for_its_reader() -> None:
    """Otherwise a log collector that stalls would stop answers, reloads and the end of the server."""
    with pipe() as (read, write):
        child = os.fork()
        if child == 0:
            signal.alarm(10)  # ends it if it hangs
            os.dup2(write, 2)
            logs.configure()
            for _ in range(10):
                logging.getLogger("arcan.server").info("x" * 1000)
            os.read(read, 65536)
            logging.getLogger("arcan.server").info("again")
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert b"lines before this one could not be written" in os.read(read, 65536)
