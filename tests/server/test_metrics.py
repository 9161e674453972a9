"""What Prometheus reads, over real TLS on a port of its own."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from arcan_gitops.server.metrics import HISTOGRAMS, METRICS
from tests.support.live_server import LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> RealmFiles:
    files = RealmFiles(tmp_path_factory.mktemp("metrics"))
    files.write("production", "prod", f"PASSWORD: {CANARY}\nOTHER: '2'\n")
    create_token(files, "production", "lasting")
    create_token(files, "production", "ending", "--expires", "30d")
    return files


@pytest.fixture(scope="module")
def server(files: RealmFiles) -> Iterator[LiveServer]:
    with LiveServer(files, files.root.parent / "server", "--metrics-port", "0") as server:
        yield server


def scrape(server: LiveServer, path: str = "/metrics", method: str = "GET") -> tuple[int, str]:
    port = int(server.wait_for_log(r"metrics on https://127\.0\.0\.1:(\d+)/metrics")[1])
    connection = http.client.HTTPSConnection("localhost", port, context=server.tls(), timeout=10)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def samples(server: LiveServer) -> dict[str, float]:
    """A sample's name and labels -> its value."""
    status, text = scrape(server)
    assert status == 200
    assert CANARY not in text
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def test_every_metric_has_its_help_and_its_type(server: LiveServer) -> None:
    _, text = scrape(server)
    for name in METRICS:
        assert f"# HELP {name} " in text
        assert f"# TYPE {name} gauge\n" in text
    for name in HISTOGRAMS:
        assert f"# HELP {name} " in text
        assert f"# TYPE {name} histogram\n" in text
    found = {re.split(r"[ {]", line)[0] for line in text.splitlines() if line[0] != "#"}
    assert {name for name in found if not name.startswith(tuple(HISTOGRAMS))} == set(METRICS)


def test_answers_are_counted_by_route_status_and_place_and_no_key_is_named(
    server: LiveServer, files: RealmFiles
) -> None:
    token = create_token(files, "production", "counted")
    server.wait(lambda: server.get("/api/v1/eso/production/PASSWORD?env=prod", token).status == 200)
    for key in ("PASSWORD", "OTHER", "NOPE"):
        server.get(f"/api/v1/eso/production/{key}?env=prod", token)
    name = "arcan_request_duration_seconds_count"
    place = 'realm="production",environment="prod"'
    server.wait(lambda: samples(server).get(f'{name}{{route="key",status="404",{place}}}') == 1)
    assert samples(server)[f'{name}{{route="key",status="200",{place}}}'] >= 3
    _, text = scrape(server)
    assert not any(key in text for key in ("PASSWORD", "OTHER", "NOPE"))


def test_it_says_what_is_served_and_when_it_ends(server: LiveServer) -> None:
    found = samples(server)
    leaf = x509.load_pem_x509_certificate((server.ca.parent / "server.crt").read_bytes())
    assert found["arcan_certificate_expiry_timestamp_seconds"] == leaf.not_valid_after_utc.timestamp()
    assert found['arcan_keys{realm="production",environment="prod"}'] == 2
    tokens = [name for name in found if name.startswith("arcan_token_expiry")]
    assert tokens == ['arcan_token_expiry_timestamp_seconds{realm="production",token="ending"}']
    assert any(f'revision="{server.ready()["revision"]}"' in name for name in found)


def test_a_failed_reload_shows_and_passes(server: LiveServer, files: RealmFiles) -> None:
    assert samples(server)["arcan_reload_failed"] == 0
    path = files.path("production", "prod")
    good = path.read_bytes()
    files.tamper(path, "OTHER")
    server.wait(lambda: samples(server)["arcan_reload_failed"] == 1)
    files.replace(path, good)
    server.wait(lambda: samples(server)["arcan_reload_failed"] == 0)


def test_a_store_that_names_this_port_is_never_told_404(server: LiveServer) -> None:
    """ESO takes 404 for "deleted"."""
    assert scrape(server, "/api/v1/eso/production/PASSWORD?env=prod")[0] == 400
    assert scrape(server, "/")[0] == 400
    assert scrape(server, method="POST")[0] == 405


def test_clients_that_say_nothing_or_little_keep_nobody_out(server: LiveServer) -> None:
    """One such client blocked every scrape: the listener had one thread."""
    port = int(server.wait_for_log(r"metrics on https://127\.0\.0\.1:(\d+)/metrics")[1])
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(10)]
        slow = []
        for _ in range(40):
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            slow.append(stack.enter_context(server.tls().wrap_socket(plain, server_hostname="localhost")))
        for _ in range(3):
            for connection in slow:
                with contextlib.suppress(OSError):
                    connection.send(b"G")
            assert scrape(server)[0] == 200
            time.sleep(0.5)
        for each in silent:
            each.settimeout(10)
            with contextlib.suppress(ConnectionResetError):
                assert each.recv(1) == b""  # it was hung up on
    assert "Traceback" not in server.log


def test_plain_http_is_not_answered(server: LiveServer) -> None:
    port = int(server.wait_for_log(r"metrics on https://127\.0\.0\.1:(\d+)/metrics")[1])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics")
    with pytest.raises((http.client.HTTPException, OSError)):
        connection.getresponse()


def test_a_metrics_port_in_use_is_an_error_before_anything_is_served(
    files: RealmFiles, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        server = LiveServer(files, tmp_path / "server", "--metrics-port", port)
        with pytest.raises(AssertionError, match=f"127.0.0.1:{port}: cannot be listened on"):
            server.__enter__()
