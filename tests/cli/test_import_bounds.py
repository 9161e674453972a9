"""`arcan import` from a server that goes on without end: a bound and a sentence, whichever client asks it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.migrate import bounds
from tests.support.import_command import ImportCommand
from tests.support.json_server import JsonServer, Request
from tests.support.kubernetes_api import KubernetesApi
from tests.support.realm_files import CANARY
from tests.support.secret_command import Result, assert_error


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> ImportCommand:
    return ImportCommand(tmp_path, monkeypatch, capsys)


@contextmanager
def answering(write: Callable[[Callable[[bytes], None], threading.Event], None]) -> Iterator[str]:
    """The address of a server that answers every request by what `write` sends, until the end of the test."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with suppress(OSError):  # who asked has hung up
                write(self.send_bytes, ended)

        def send_bytes(self, data: bytes) -> None:
            self.wfile.write(data)

        do_GET = do_POST = do_LIST = handle_any

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        ended.set()
        server.shutdown()
        server.server_close()


def without_end(send: Callable[[bytes], None], ended: threading.Event) -> None:
    send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    while not ended.is_set():
        send(b" " * (1 << 20))


def drop_by_drop(send: Callable[[bytes], None], ended: threading.Event) -> None:
    send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
    while not ended.wait(0.05):
        send(b" ")


def headers_drop_by_drop(send: Callable[[bytes], None], ended: threading.Event) -> None:
    send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not ended.wait(0.05):
        send(b"x")


CLIENTS = ["vault", "infisical", "aws", "kubernetes"]


def ask(arcan: ImportCommand, client: str, address: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    if client == "vault":
        return arcan("vault", VAULT_ADDR=address, VAULT_TOKEN=f"token-{CANARY}")
    if client == "infisical":
        return arcan("infisical", "--project=x", INFISICAL_DOMAIN=address, INFISICAL_TOKEN=f"token-{CANARY}")
    if client == "aws":
        return arcan(
            "aws", AWS_ENDPOINT_URL=address, AWS_ACCESS_KEY_ID="AKIATEST", AWS_SECRET_ACCESS_KEY=CANARY,
            AWS_REGION="eu-central-1",
        )  # fmt: skip
    path = arcan.folder / "test.kubeconfig"
    with KubernetesApi(secrets=[]) as cluster:
        cluster.write_kubeconfig(path)
        text = path.read_text().replace(cluster.address, address)
    path.write_text(text)
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))
    return arcan("kubernetes", "--namespace=shop")


@pytest.mark.parametrize("client", CLIENTS)
def test_an_answer_without_end_is_not_read_to_its_end(
    client: str, arcan: ImportCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "ANSWER_BYTES", 4 << 20)
    with answering(without_end) as address:
        result = ask(arcan, client, address, monkeypatch)
    assert_error(result, "an answer has more than 4194304 bytes, and is not read further")


@pytest.mark.parametrize("write", [drop_by_drop, headers_drop_by_drop])
@pytest.mark.parametrize("client", CLIENTS)
def test_an_answer_that_comes_drop_by_drop_is_not_waited_for(
    client: str,
    write: Callable[[Callable[[bytes], None], threading.Event], None],
    arcan: ImportCommand,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounds, "ANSWER_SECONDS", 1.5)
    with answering(write) as address:
        result = ask(arcan, client, address, monkeypatch)
    assert_error(result, "an answer is not complete after 1.5 seconds", "check the address")


class Folders(JsonServer):
    """A Vault in which every folder has these entries."""

    entries: list[str]

    def answer(self, request: Request) -> tuple[int, Any]:
        if "internal" in request.path:
            return 200, {"data": {"type": "kv", "options": {"version": "2"}}}
        listing = request.query.get("list") == "true" or request.method == "LIST"
        return (200, {"data": {"keys": self.entries}}) if listing else (404, {"errors": []})


def vault_of(arcan: ImportCommand, *entries: str) -> tuple[Result, int]:
    with Folders() as vault:
        vault.entries = list(entries)
        result = arcan("vault", VAULT_ADDR=vault.address, VAULT_TOKEN="t")
        return result, len(vault.requests)


def test_folders_in_a_circle_end(arcan: ImportCommand) -> None:
    result, asked = vault_of(arcan, "again/")
    assert_error(result, "folders are more than 64 deep, as in a circle", "--path")
    assert asked < 100


def test_folders_without_end_end(arcan: ImportCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arcan_gitops.migrate.sources.vault.MOST_PAGES", 50)
    result, _ = vault_of(arcan, *(f"{number}/" for number in range(100)))
    assert_error(result, "has more than 50 folders")


@pytest.mark.parametrize("name", ["../", "./", "/", "", "..", "a/b", "a/../../x/"])
def test_a_name_that_leads_elsewhere_is_not_followed(name: str, arcan: ImportCommand) -> None:
    result, asked = vault_of(arcan, name)
    assert result.status == 1
    assert "has no name of a secret or folder" in result.out
    assert asked == 2


class Pages(KubernetesApi):
    """A list whose every page has another one behind it."""

    def answer(self, request: Request) -> tuple[int, Any]:
        return 200, {"items": [], "metadata": {"continue": f"token-{len(self.requests)}"}}


def test_a_list_without_end_ends(arcan: ImportCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_PAGES", 20)
    with Pages(secrets=[]) as cluster:
        result = ask(arcan, "kubernetes", cluster.address, monkeypatch)
    assert_error(result, "a list has more than 20 pages, and is not read further")


class Tokens(JsonServer):
    def answer(self, request: Request) -> tuple[int, Any]:
        return 200, {"SecretList": [], "NextToken": json.dumps(len(self.requests))}


def test_a_list_of_aws_without_end_ends(arcan: ImportCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_PAGES", 20)
    with Tokens() as service:
        result = ask(arcan, "aws", service.address, monkeypatch)
    assert_error(result, "a list has more than 20 pages")
