"""What takes connections, descriptors or workers away from a server, and does not take it down."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.test_metrics import samples
from tests.support.live_server import LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles

TARGET = "/api/v1/eso/shop/A?env=prod"


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"A: {CANARY}\n")
    return files


@pytest.fixture
def token(files: RealmFiles) -> str:
    return create_token(files, "shop", "eso")


def workers_of(server: LiveServer) -> list[int]:
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


@contextlib.contextmanager
def silent(server: LiveServer, many: int, *, tls: bool = False) -> Iterator[list[socket.socket]]:
    """Connections that say nothing; those that are not taken are opened all the same, as far as they can be."""
    held: list[socket.socket] = []
    try:
        for _ in range(many):
            plain = socket.socket()
            held.append(plain)
            plain.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                plain.connect(("127.0.0.1", server.port))
            if tls:
                plain.settimeout(20)
                held[-1] = server.tls().wrap_socket(plain, server_hostname="localhost")
        yield held
    finally:
        for each in held:
            each.close()


def kept_alive(server: LiveServer, token: str) -> http.client.HTTPSConnection:
    connection = http.client.HTTPSConnection("localhost", server.port, context=server.tls(), timeout=20)
    assert ask(connection, token) == 200
    return connection


def ask(connection: http.client.HTTPSConnection, token: str) -> int:
    connection.request("GET", TARGET, headers={"Authorization": f"Bearer {token}"})
    response = connection.getresponse()
    response.read()
    return response.status


# Descriptors and connections


@pytest.mark.parametrize(("limit", "many"), [(160, 200), (512, 3000)])
def test_more_silent_connections_than_descriptors_do_not_make_it_deaf(
    files: RealmFiles, token: str, tmp_path: Path, limit: int, many: int
) -> None:
    """accept(2) failed for want of a descriptor, 77,000 times in 2 s, and the server was deaf for good."""
    within = ("prlimit", f"--nofile={limit}", "--")
    with LiveServer(files, tmp_path / "server", within=within) as server:
        worker = workers_of(server)
        before = kept_alive(server, token)
        with silent(server, many):
            assert ask(before, token) == 200
            server.wait(lambda: server.get(TARGET, token).status == 200, 60)  # while they are open
            time.sleep(2)
        server.wait(lambda: server.get(TARGET, token).status == 200, 15)
        assert workers_of(server) == worker  # it was not needed to replace it


def test_connections_without_a_token_give_way(files: RealmFiles, token: str, tmp_path: Path) -> None:
    """16 of them locked everybody out at --max-connections 16."""
    with LiveServer(files, tmp_path / "server", "--max-connections", "16") as server:
        before = kept_alive(server, token)
        with silent(server, 15, tls=True):
            for _ in range(3):
                server.wait(lambda: server.get(TARGET, token).status == 200, 20)
                assert ask(before, token) == 200
                time.sleep(1)


def test_a_refused_caller_keeps_no_connection(files: RealmFiles, token: str, tmp_path: Path) -> None:
    with LiveServer(files, tmp_path / "server") as server:
        for target, presented, kept in (
            (TARGET, token, True),
            (TARGET, "arc_x", False),
            ("/livez", "", False),
        ):
            answer = server.get(target, presented)
            assert answer.headers.get("connection") == (None if kept else "close")


def test_a_client_that_does_not_read_loses_its_connection(files: RealmFiles, tmp_path: Path) -> None:
    """It held a connection for as long as it liked."""
    files.write("shop", "prod", f"A: {'x' * 8_000_000}\n")
    token = create_token(files, "shop", "eso")
    with LiveServer(files, tmp_path / "server", "--metrics-port", "0") as server:
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.settimeout(30)
        plain.connect(("127.0.0.1", server.port))
        with server.tls().wrap_socket(plain, server_hostname="localhost") as secure:
            request = f"GET {TARGET} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
            secure.sendall(request.encode())
            server.wait(lambda: samples(server)["arcan_connections"] == 1)
            server.wait(lambda: samples(server)["arcan_connections"] == 0, 30)
            received = 0
            with contextlib.suppress(ssl.SSLError, OSError):
                while part := secure.recv(65536):
                    received += len(part)
            assert received < 8_000_000


def test_40_clusters_behind_one_address_all_get_their_answers_beside_strangers(
    files: RealmFiles, token: str, tmp_path: Path
) -> None:
    """As after an outage: a valid token is never refused for what others do from the same address."""
    options = ("--max-connections", "64")
    with LiveServer(files, tmp_path / "server", *options) as server, silent(server, 30, tls=True):
        clusters = []
        for _ in range(20):
            assert server.get(TARGET, "arc_wrong").status == 401
            clusters.append(kept_alive(server, token))
        for _ in range(33):
            assert [ask(each, token) for each in clusters] == [200] * len(clusters)
        for each in clusters:
            each.close()
        clusters = [kept_alive(server, token) for _ in range(20)]
        for each in clusters:
            assert [ask(each, token) for _ in range(33)] == [200] * 33
            each.close()


# Workers


def test_workers_that_crash_are_replaced_with_a_growing_delay_and_meanwhile_it_is_not_ready(
    files: RealmFiles, token: str, tmp_path: Path
) -> None:
    """Two crashes within 5.5 s ended the server."""
    with LiveServer(files, tmp_path / "server", "--metrics-port", "0") as server:
        for delay in ("0 s", "0.5 s", "1 s", "2 s", "4 s"):
            server.wait(lambda: len(workers_of(server)) == 1)
            os.kill(workers_of(server)[0], signal.SIGKILL)
            server.wait_for_log(f"ended with signal 9; the next one starts in {delay}\n")
        server.wait(lambda: server.get("/readyz").json == {"status": "no_worker"})
        answer = server.get(TARGET, token)
        assert (answer.status, answer.code) == (503, "not_loaded")
        assert server.get("/livez").status == 200
        assert samples(server)["arcan_workers"] == 0
        server.wait(lambda: server.get(TARGET, token).status == 200)
        assert samples(server)["arcan_workers"] == 1
        assert server.get("/readyz").status == 200


# systemd


def test_systemd_is_told_when_it_is_ready_that_it_lives_and_that_it_ends(
    files: RealmFiles, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        path = tmp_path / "notify"
        systemd.bind(str(path))
        systemd.settimeout(20)
        environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "1500000"}
        server = LiveServer(files, tmp_path / "server", **environment)
        with server:
            assert systemd.recv(100) == b"READY=1"
            assert [systemd.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        rest = b""
        while b"STOPPING=1" not in rest:
            rest += systemd.recv(100)
