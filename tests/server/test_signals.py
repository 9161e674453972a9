"""No signal is lost: SIGTERM and SIGINT end a server in order, at whatever moment they come."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from tests.support.live_server import LiveServer
from tests.support.realm_files import CANARY, RealmFiles


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"A: {CANARY}\n")
    return files


def masks(pid: int, *names: str) -> list[int]:
    """Sets of signals of a process or thread, as bit masks (proc_pid_status(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    return [int(re.findall(rf"^{name}:\s*([0-9a-f]+)$", status, re.M)[0], 16) for name in names]


def survives(number: int, pid: int) -> bool:
    """Whether a process ignores, handles or blocks a signal."""
    return any(mask >> (number - 1) & 1 for mask in masks(pid, "SigIgn", "SigCgt", "SigBlk"))


def loads(server: LiveServer) -> bool:
    """Whether the process has begun to load: from then on it ends in order."""
    return survives(signal.SIGUSR1, server.process.pid) and survives(signal.SIGTERM, server.process.pid)


def ends_in_order(server: LiveServer) -> None:
    assert server.process.wait(15) == 0, server.log
    assert "Traceback" not in server.log
    assert "killed" not in server.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("delay", [0.0, 0.1, 0.4])
def test_while_it_loads(files: RealmFiles, tmp_path: Path, number: signal.Signals, delay: float) -> None:
    for each in range(40):
        files.replace(files.path("shop", f"env-{each}"), files.path("shop", "prod").read_bytes())
    with LiveServer(files, tmp_path / "server").starting() as server:
        server.wait(lambda: loads(server))
        time.sleep(delay)
        server.process.send_signal(number)
        ends_in_order(server)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("stage", ["loaded shop/prod", "serving revision"])
@pytest.mark.parametrize("delay", [0.0, 0.001, 0.01, 0.1])
def test_while_and_after_its_workers_start(
    files: RealmFiles, tmp_path: Path, number: signal.Signals, stage: str, delay: float
) -> None:
    with LiveServer(files, tmp_path / "server", "--workers", "2", "--drain-delay", "0").starting() as server:
        end = time.monotonic() + 20
        while stage not in server.log and time.monotonic() < end:
            pass
        time.sleep(delay)
        server.process.send_signal(number)
        ends_in_order(server)


@pytest.mark.parametrize("delay", [0.0, 0.3])
def test_while_it_reloads_and_replaces_a_worker(files: RealmFiles, tmp_path: Path, delay: float) -> None:
    with LiveServer(files, tmp_path / "server", "--drain-delay", "0") as server:
        files.write("shop", "prod", "A: newer\n")
        server.process.send_signal(signal.SIGHUP)
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        for worker in children.read_text().split():
            os.kill(int(worker), signal.SIGKILL)
        time.sleep(delay)
        server.process.send_signal(signal.SIGTERM)
        ends_in_order(server)


def test_a_second_signal_ends_the_drain(files: RealmFiles, tmp_path: Path) -> None:
    with LiveServer(files, tmp_path / "server", "--drain-delay", "300") as server:
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("draining")
        server.process.send_signal(signal.SIGTERM)
        ends_in_order(server)


def test_no_thread_takes_a_signal_that_the_main_thread_waits_for(files: RealmFiles, tmp_path: Path) -> None:
    """The kernel gives a signal to any thread that does not block it, and it would be lost there."""
    with LiveServer(files, tmp_path / "server", "--metrics-port", "0") as server:
        wanted = sum(1 << (number - 1) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
        threads = [int(each.name) for each in Path(f"/proc/{server.process.pid}/task").iterdir()]
        threads.remove(server.process.pid)
        assert len(threads) >= 2
        assert [masks(thread, "SigBlk")[0] & wanted for thread in threads] == [wanted] * len(threads)


def test_signals_that_mean_nothing_end_nothing(files: RealmFiles, tmp_path: Path) -> None:
    with LiveServer(files, tmp_path / "server") as server:
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        processes = [server.process.pid, *map(int, children.read_text().split())]
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT):
            for pid in processes:
                os.kill(pid, number)
        time.sleep(0.3)
        assert [server.process.pid, *map(int, children.read_text().split())] == processes
        assert server.get("/livez").status == 200


def test_signals_while_it_is_still_loading_do_no_harm(files: RealmFiles, tmp_path: Path) -> None:
    for number in range(40):
        files.replace(files.path("shop", f"env-{number}"), files.path("shop", "prod").read_bytes())
    with LiveServer(files, tmp_path / "server").starting() as server:
        server.wait(lambda: loads(server))
        while "loaded" not in server.log:
            for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT):
                server.process.send_signal(number)
            assert server.process.poll() is None, server.log
            time.sleep(0.01)
        server.wait_for_log("serving revision")
        server.process.send_signal(signal.SIGINT)
        ends_in_order(server)


def test_a_pause_of_the_whole_machine_is_no_signal(files: RealmFiles, tmp_path: Path) -> None:
    """SIGSTOP and SIGCONT, as a snapshot of a virtual machine: the wait for signals ends with nothing."""
    with LiveServer(files, tmp_path / "server") as server:
        for _ in range(3):
            os.kill(server.process.pid, signal.SIGSTOP)
            time.sleep(1.0)  # longer than one wait
            os.kill(server.process.pid, signal.SIGCONT)
            time.sleep(0.3)
            assert server.process.poll() is None, server.log
            assert server.get("/livez").status == 200
