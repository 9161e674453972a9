"""A server's life: start-up refusals, reloads under load, workers that die, a drain before the end."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.support.live_server import ARCAN, LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles, new_identity

TARGET = "/api/v1/eso/shop/A?env=prod"


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    files = RealmFiles(tmp_path)
    files.write("shop", "prod", f"A: {CANARY}\nB: two\n")
    return files


def workers_of(server: LiveServer) -> list[int]:
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


# Start-up


def refused(files: RealmFiles, tmp_path: Path, *options: str, **environment: str) -> str:
    command = [*ARCAN, "serve", "--realms", str(files.root), "--data-dir", str(tmp_path / "data"), *options]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=30, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert CANARY not in done.stderr
    assert files.identity not in done.stderr
    return done.stderr


def test_without_an_identity_it_does_not_start(files: RealmFiles, tmp_path: Path) -> None:
    assert "no age identity" in refused(files, tmp_path, "--port", "0")


def test_every_problem_is_named_at_once(files: RealmFiles, tmp_path: Path) -> None:
    files.replace(files.path("shop", "prod"), b"plain: text\n")
    (files.root / "shop" / "tokens.yaml").write_text("version: 1\ntokens: nonsense\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        message = refused(
            files, tmp_path, "--identity-file", str(files.identity_file), "--port", str(port),
            "--audit-log", str(tmp_path / "no" / "audit"), "--tls-cert", "missing.crt", "--tls-key", "missing.key",
        )  # fmt: skip
    for problem in (
        "prod.sops.yaml: not encrypted",
        "tokens.yaml:2",
        f"127.0.0.1:{port}: cannot be listened on: Address already in use",
        "the audit log cannot be written",
        "missing.crt: cannot be read",
    ):
        assert problem in message


def test_two_servers_on_one_port_is_an_error(files: RealmFiles, tmp_path: Path) -> None:
    with LiveServer(files, tmp_path / "server") as server:
        message = refused(
            files, tmp_path, "--identity-file", str(files.identity_file), "--port", str(server.port)
        )
        assert "cannot be listened on" in message


def test_a_data_directory_that_cannot_be_written_is_named(files: RealmFiles, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    message = refused(files, tmp_path, "--identity-file", str(files.identity_file), "--port", "0")
    assert "data/tls: cannot be created" in message


def test_the_demo_identity_is_refused(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    command = [
        *ARCAN, "serve", "--realms", str(root / "realms"), "--data-dir", str(tmp_path / "data"), "--port", "0",
        "--identity-file", str(root / "demo" / "worthless-identity.txt"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "is the demo identity, which is public" in done.stderr


def test_the_identity_may_come_from_the_environment_and_leaves_it(files: RealmFiles, tmp_path: Path) -> None:
    token = create_token(files, "shop", "eso")
    files.identity_file.write_text(f"{new_identity()[0]}\n")
    with LiveServer(files, tmp_path / "server", SOPS_AGE_KEY=files.identity) as server:
        assert server.get(TARGET, token).status == 200
        for pid in (server.process.pid, *workers_of(server)):
            assert files.identity.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
            assert files.identity.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_options_may_come_from_the_environment(files: RealmFiles, tmp_path: Path) -> None:
    audit = tmp_path / "elsewhere.log"
    with LiveServer(
        files, tmp_path / "server", ARCAN_AUDIT_LOG=str(audit), ARCAN_TLS_HOST="localhost"
    ) as server:
        assert server.get(TARGET).status == 401
        assert "unauthorized" in audit.read_text()


# Reload


def test_a_merged_change_is_served_without_a_dropped_connection(files: RealmFiles, tmp_path: Path) -> None:
    token = create_token(files, "shop", "eso")
    with LiveServer(files, tmp_path / "server", "--workers", "2") as server:
        failures: list[object] = []
        seen: set[str] = set()
        stop = threading.Event()

        def read() -> None:
            while not stop.is_set():
                try:
                    answer = server.get("/api/v1/eso/shop?env=prod", token)
                    assert answer.status == 200
                    data = answer.json["data"]
                    assert data["A"] == data["B"] or data["A"] == CANARY, (
                        "half of one change, half of another"
                    )
                    seen.add(data["B"])
                except Exception as error:
                    failures.append(error)

        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        for number in range(6):
            files.write("shop", "prod", f"A: v{number}\nB: v{number}\n")
            if number % 2:
                server.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
        server.wait(lambda: "v5" in seen)
        stop.set()
        for reader in readers:
            reader.join()
        assert not failures
        assert server.ready()["reload"] == "ok"


def test_a_bad_change_keeps_the_last_good_state_and_says_so(files: RealmFiles, tmp_path: Path) -> None:
    files.write("other", "prod", "X: one\n")
    token, other = create_token(files, "shop", "eso"), create_token(files, "other", "eso")
    with LiveServer(files, tmp_path / "server", "--workers", "2") as server:
        files.tamper(files.path("shop", "prod"), "B")
        files.write("other", "prod", "X: two\n")
        server.wait(lambda: server.ready()["reload"] == "failed")
        assert server.get(TARGET, token).json == {"value": CANARY}
        assert server.get("/api/v1/eso/shop/B?env=prod", token).status == 200
        server.wait(lambda: server.get("/api/v1/eso/other/X?env=prod", other).json == {"value": "two"})
        assert server.get("/readyz").status == 200
        server.wait_for_log("prod.sops.yaml: the MAC does not match")
        files.write("shop", "prod", "A: mended\n")
        server.wait(lambda: server.ready()["reload"] == "ok")
        assert server.get(TARGET, token).json == {"value": "mended"}
        assert server.get("/api/v1/eso/shop/B?env=prod", token).status == 404


def test_a_revocation_takes_effect_beside_a_bad_document(files: RealmFiles, tmp_path: Path) -> None:
    token = create_token(files, "shop", "eso")
    with LiveServer(files, tmp_path / "server", "--workers", "2") as server:
        assert server.get(TARGET, token).status == 200
        files.tamper(files.path("shop", "prod"), "B")
        done = subprocess.run([*ARCAN, "token", "revoke", "eso", "--realms", str(files.root)], check=False)
        assert done.returncode == 0
        server.wait(lambda: server.get(TARGET, token).status == 401)
        assert all(server.get(TARGET, token).status == 401 for _ in range(10))


def test_an_expired_token_is_401_at_once(files: RealmFiles, tmp_path: Path) -> None:
    token = create_token(files, "shop", "eso", "--expires", "3s")
    with LiveServer(files, tmp_path / "server") as server:
        server.wait(lambda: server.get(TARGET, token).status == 401)
        assert server.audit[-1]["reason"] == "expired"


def test_a_change_through_symlinks_as_kubernetes_makes_them_is_seen(
    files: RealmFiles, tmp_path: Path
) -> None:
    token = create_token(files, "shop", "eso")
    volume = tmp_path / "volume"
    volume.mkdir()
    (tmp_path / "realms").rename(volume / "..first")
    (volume / "..data").symlink_to("..first")
    (volume / "shop").symlink_to("..data/shop")
    mounted = RealmFiles(tmp_path / "mounted")
    mounted.identity_file.write_text(files.identity_file.read_text())
    mounted.root = volume
    with LiveServer(mounted, tmp_path / "server") as server:
        assert server.get(TARGET, token).json == {"value": CANARY}
        second = volume / "..second" / "shop"
        second.mkdir(parents=True)
        (second / "tokens.yaml").write_bytes((volume / "shop" / "tokens.yaml").read_bytes())
        files.root = volume / "..second"
        files.write("shop", "prod", "A: newer\n")
        (volume / "..data_tmp").symlink_to("..second")
        (volume / "..data_tmp").rename(volume / "..data")
        server.wait(lambda: server.get(TARGET, token).json == {"value": "newer"})


def test_a_folder_that_is_swapped_by_rename_is_seen_and_watched_on(files: RealmFiles, tmp_path: Path) -> None:
    token = create_token(files, "shop", "eso")
    root = files.root
    with LiveServer(files, tmp_path / "server") as server:
        other = tmp_path / "other"
        shutil.copytree(root, other)
        files.root = other
        files.write("shop", "prod", "A: swapped\n")
        root.rename(tmp_path / "old")
        other.rename(root)
        server.wait(lambda: server.get(TARGET, token).json == {"value": "swapped"}, 10)
        files.root = root
        files.write("shop", "prod", "A: after\n")
        server.wait(lambda: server.get(TARGET, token).json == {"value": "after"}, 10)


# Workers


def test_a_worker_that_dies_is_replaced_and_starts_from_the_last_good_snapshot(
    files: RealmFiles, tmp_path: Path
) -> None:
    token = create_token(files, "shop", "eso")
    with LiveServer(files, tmp_path / "server") as server:
        files.write("shop", "prod", "A: newer\n")
        server.wait(lambda: server.get(TARGET, token).json == {"value": "newer"})
        files.replace(files.path("shop", "prod"), b"broken\n")
        server.wait(lambda: server.ready()["reload"] == "failed")
        (worker,) = workers_of(server)
        os.kill(worker, signal.SIGKILL)
        server.wait(lambda: [pid for pid in workers_of(server) if pid != worker] != [])
        server.wait(lambda: server.get(TARGET, token).json == {"value": "newer"})


def test_workers_die_with_the_main_process(files: RealmFiles, tmp_path: Path) -> None:
    with LiveServer(files, tmp_path / "server", "--workers", "2") as server:
        workers = workers_of(server)
        assert len(workers) == 2
        server.process.kill()
        server.process.wait()
        end = time.monotonic() + 5
        while not all(gone(pid) for pid in workers):
            assert time.monotonic() < end, "a worker lives on"
            time.sleep(0.05)
        with pytest.raises(OSError):
            server.get("/livez")


# The end


def test_sigterm_says_so_then_closes_then_lets_requests_finish(files: RealmFiles, tmp_path: Path) -> None:
    with LiveServer(files, tmp_path / "server", "--drain-delay", "1.5", "--workers", "2") as server:
        assert server.get("/readyz").status == 200
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.wait(lambda: server.get("/readyz").status == 503, 1)
        assert server.get("/readyz").json == {"status": "draining"}
        assert server.get(TARGET).status == 401  # still answering
        assert server.process.wait(15) == 0
        assert time.monotonic() - began >= 1.5
        with pytest.raises(OSError):
            server.get("/livez")


def test_sigint_ends_at_once(files: RealmFiles, tmp_path: Path) -> None:
    with LiveServer(files, tmp_path / "server", "--drain-delay", "60") as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(20) == 0


# Connections


def test_a_bare_connect_and_close_is_no_error_in_the_log(files: RealmFiles, tmp_path: Path) -> None:
    with LiveServer(files, tmp_path / "server") as server:
        before = server.log
        for _ in range(5):
            socket.create_connection(("127.0.0.1", server.port)).close()
        server.get("/livez")
        assert server.log == before


def test_an_idle_connection_is_closed(files: RealmFiles, tmp_path: Path) -> None:
    token = create_token(files, "shop", "eso")
    with LiveServer(files, tmp_path / "server") as server:
        plain = socket.create_connection(("127.0.0.1", server.port))
        with server.tls().wrap_socket(plain, server_hostname="localhost") as secure:
            secure.settimeout(20)
            request = f"GET {TARGET} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
            secure.sendall(request.encode())
            began = time.monotonic()
            received = b""
            while part := secure.recv(4096):  # until the server closes
                received += part
            assert b"200 OK" in received
            assert 5 < time.monotonic() - began < 15


def test_1500_silent_connections_do_not_keep_livez_from_answering(files: RealmFiles, tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    with LiveServer(files, tmp_path / "server") as server:
        context = server.tls()
        held: list[ssl.SSLSocket] = []

        def hold(many: int) -> None:
            for _ in range(many):
                plain = socket.create_connection(("127.0.0.1", server.port), timeout=30)
                held.append(context.wrap_socket(plain, server_hostname="localhost"))

        threads = [threading.Thread(target=hold, args=(375,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(held) == 1500
        began = time.monotonic()
        assert server.get("/livez").status == 200
        assert time.monotonic() - began < 1
        for connection in held:
            connection.close()


def test_too_low_a_limit_of_open_files_is_said(files: RealmFiles, tmp_path: Path) -> None:
    with LiveServer(files, tmp_path / "server", within=("prlimit", "--nofile=256", "--")) as server:
        assert "the limit of open files is 256" in server.log


def test_reads_in_a_row_on_one_connection_wait_for_no_delayed_acknowledgement(
    files: RealmFiles, tmp_path: Path
) -> None:
    """ESO reads the keys of a Secret one after the other. Linux delays an acknowledgement by 40 ms."""
    token = create_token(files, "shop", "eso")
    with LiveServer(files, tmp_path / "server") as server:
        connection = server.connect()
        seconds = []
        for _ in range(3):  # a machine that is busy with something else may take one run's time
            began = time.monotonic()
            for _ in range(50):
                connection.request("GET", TARGET, headers={"Authorization": f"Bearer {token}"})
                response = connection.getresponse()
                assert (response.status, response.read()) == (200, b'{"value":"%s"}' % CANARY.encode())
            seconds.append(time.monotonic() - began)
        connection.close()
    assert min(seconds) < 50 * 0.010, seconds
