"""The servers that a benchmark of serving compares, each started with one certificate, on loopback.

Arcan makes the certificate (ECDSA P-256, by its own CA) and the others serve it too. What is asked of them is
the same: one key, or all keys of an environment; nginx, Flask and the plain callable answer with the bytes
that Arcan answers with.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import pyrage
from bench_sops import flat

from arcan_gitops import sops
from arcan_gitops.webhook import NAMESPACE_HEADER, PATH_PREFIX

_Found = TypeVar("_Found")

SCRIPTS: Final = Path(__file__).resolve().parent
ARCAN, OPENBAO, NGINX = "arcan serve", "OpenBao", "nginx"
FLASK, PLAIN = "Flask, trivial", "plain WSGI"
BULKS: Final = (10, 100, 1000)
SINGLE: Final = "one"  # what is read: one key, or `keys-10` and so on
_REALM: Final = "bench"
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 15.0


class Missing(Exception):
    """A program is not there."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that runs: the path of each thing to be read, and the headers to read it with."""

    name: str
    port: int
    paths: Mapping[str, str]
    headers: Mapping[str, str]
    process: int  # the first one
    grows: Path | None = None  # its audit log, to be emptied now and then

    def cpu(self) -> float:
        """The seconds of CPU that its processes have used (proc_pid_stat(5): ppid, utime and stime)."""
        used: dict[int, int] = {}
        children: dict[int, list[int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it has ended
                fields = stat.read_text().rpartition(")")[2].split()
                used[int(stat.parent.name)] = int(fields[11]) + int(fields[12])
                children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
        family = [self.process]
        for member in family:  # it grows
            family += children.get(member, [])
        return sum(used.get(member, 0) for member in family) / os.sysconf("SC_CLK_TCK")

    def url(self, what: str) -> str:
        return f"https://127.0.0.1:{self.port}{self.paths[what]}"


def bulk(keys: int) -> str:
    """What a read of so many keys at once is called, and its environment."""
    return f"keys-{keys}"


class Servers:
    """Use as a context manager: what was started is stopped. `folder` gets files and logs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._tls = folder / "arcan" / "tls"

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def arcan(self, *options: str) -> Peer:
        """`arcan serve` as a user starts it; the others need its certificate and its answers."""
        folder = self._folder / "arcan"
        pair = pyrage.x25519.Identity.generate()
        realm = folder / "realms" / _REALM
        realm.mkdir(parents=True)
        (folder / "identity").touch(0o600)
        (folder / "identity").write_text(f"{pair}\n")
        for keys in BULKS:
            document = sops.encrypt(flat(keys), recipients=[str(pair.to_public())])
            (realm / f"{bulk(keys)}.sops.yaml").write_bytes(document)
        command = [str(Path(sys.executable).with_name("arcan"))]
        realms = ["--realms", str(realm.parent)]
        made = subprocess.run(
            [*command, "token", "create", "--realm", _REALM, "--name", "bench", *realms],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        audit = folder / "audit.log"
        process = self._start(ARCAN, [
            *command, "serve", *realms, "--identity-file", f"{folder}/identity", "--data-dir", str(folder),
            "--port", "0", "--audit-log", str(audit), "--drain-delay", "0", *options,
        ])  # fmt: skip
        log = self._log(ARCAN)
        found = _wait(f"{ARCAN} serves", log, lambda: re.search(r"serving .*:(\d+)", log.read_text()))
        paths = {bulk(keys): f"{PATH_PREFIX}/{_REALM}?env={bulk(keys)}" for keys in BULKS}
        paths[SINGLE] = f"{PATH_PREFIX}/{_REALM}/{next(iter(flat(10)))}?env={bulk(10)}"
        headers = {"Authorization": f"Bearer {made.stdout.strip()}", NAMESPACE_HEADER: "shop"}
        peer = Peer(ARCAN, int(found[1]), paths, headers, process, audit)
        bodies = self._folder / "bodies"
        bodies.mkdir()
        for name in paths:
            (bodies / name).write_bytes(self.read(peer, name))
        return peer

    def openbao(self) -> Peer:
        """KV v2, file storage, file audit. Raises `Missing`."""
        program = _openbao()
        folder = self._folder / "openbao"
        folder.mkdir()
        port, cluster, audit = free_port(), free_port(), folder / "audit.log"
        (folder / "config.hcl").write_text(f"""
            storage "file" {{ path = "{folder}/data" }}
            listener "tcp" {{
                address = "127.0.0.1:{port}"
                cluster_address = "127.0.0.1:{cluster}"
                tls_cert_file = "{self._tls}/server.crt"
                tls_key_file = "{self._tls}/server.key"
            }}
            audit "file" "bench" {{ options = {{ file_path = "{audit}" }} }}
            api_addr = "https://127.0.0.1:{port}"
            log_level = "warn"
        """)
        process = self._start(OPENBAO, [str(program), "server", f"-config={folder}/config.hcl"])
        peer = Peer(OPENBAO, port, {"health": "/v1/sys/seal-status"}, {}, process)
        log = self._log(OPENBAO)
        _wait(f"{OPENBAO} answers", log, lambda: self.read(peer, "health"))
        made = json.loads(
            self._ask(port, "POST", "/v1/sys/init", {"secret_shares": 1, "secret_threshold": 1})
        )
        self._ask(port, "POST", "/v1/sys/unseal", {"key": made["keys"][0]})
        headers = {"X-Vault-Token": made["root_token"]}

        def write(path: str, content: Any) -> bytes:
            return _wait(
                f"{OPENBAO} takes {path}", log, lambda: self._ask(port, "POST", path, content, headers)
            )

        write("/v1/sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        contents = {bulk(keys): flat(keys) for keys in BULKS}
        contents[SINGLE] = {"value": next(iter(flat(10).values()))}
        paths = {name: f"/v1/secret/data/{name}" for name in contents}
        for name, data in contents.items():
            write(paths[name], {"data": data})
        assert audit.stat().st_size, f"{OPENBAO} has written no audit line"
        return Peer(OPENBAO, port, paths, headers, process, audit)

    def nginx(self, arcan: Peer) -> Peer:
        """Files with the same bytes, kept open. Raises `Missing`."""
        program = shutil.which(
            "nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
        )
        if program is None:
            raise Missing("nginx is not on PATH: apt-get install nginx-light")
        folder = self._folder / "nginx"
        folder.mkdir()
        port = free_port()
        (folder / "nginx.conf").write_text(f"""
            daemon off; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log;
            events {{ worker_connections 1024; }}
            http {{
                access_log off; default_type application/json; keepalive_requests 100000000;
                open_file_cache max=10; open_file_cache_valid 1h; sendfile on; tcp_nopush on;
                client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
                uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
                server {{
                    listen 127.0.0.1:{port} ssl; root {self._folder}/bodies;
                    ssl_certificate {self._tls}/server.crt; ssl_certificate_key {self._tls}/server.key;
                }}
            }}
            {"user root;" if os.geteuid() == 0 else ""}
        """)
        process = self._start(
            NGINX, [program, "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]
        )
        return self._constant(NGINX, port, process, arcan)

    def granian(self, name: str, app: str, arcan: Peer) -> Peer:
        """An application of `bench_peer_apps`, under Granian as `arcan serve` has it."""
        port = free_port()
        process = self._start(
            name,
            [
                sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1", "--workers", "1",
                "--blocking-threads", "1", "--runtime-mode", "mt", "--host", "127.0.0.1", "--port", str(port),
                "--ssl-certificate", f"{self._tls}/server.crt", "--ssl-keyfile", f"{self._tls}/server.key",
                "--log-level", "warning", f"bench_peer_apps:{app}",
            ],
            {"BENCH_BODIES": str(self._folder / "bodies"), "PYTHONPATH": str(SCRIPTS)},
        )  # fmt: skip
        return self._constant(name, port, process, arcan)

    def _constant(self, name: str, port: int, process: int, arcan: Peer) -> Peer:
        peer = Peer(name, port, {what: f"/{what}" for what in arcan.paths}, arcan.headers, process)
        for what in arcan.paths:
            body = _wait(f"{name} answers", self._log(name), lambda: self.read(peer, what))  # noqa: B023
            assert body == (self._folder / "bodies" / what).read_bytes(), f"{name} answers other bytes"
        return peer

    def read(self, peer: Peer, what: str) -> bytes:
        """The body of one answer."""
        return self._ask(peer.port, "GET", peer.paths[what], headers=peer.headers)

    def _ask(
        self, port: int, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Raises `OSError` unless the answer is 2xx."""
        context = ssl.create_default_context(cafile=str(self._tls / "ca.crt"))
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {} if headers is None else dict(headers))
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise OSError(f"{method} {path}: {answer.status}")
        return data

    def _start(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
        """Start it; the id of its process. It is stopped when the block of the servers ends."""
        return self._stack.enter_context(_running(command, self._log(name), environment or {}))

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"


@contextmanager
def _running(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Iterator[int]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env={**os.environ, **environment},
            process_group=0,  # no session of its own, to which Linux would give a share of the CPU of its own
        )  # fmt: skip
        try:
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _openbao() -> Path:
    """Where `scripts/e2e_programs.py bao` has built it. Raises `Missing`."""
    command = [sys.executable, str(SCRIPTS / "e2e_programs.py"), "--paths"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    program = Path(json.loads(said)["bao"])
    if not program.exists():
        raise Missing("OpenBao is not built: python3 scripts/e2e_programs.py bao")
    return program


def _wait(what: str, log: Path, look: Callable[[], _Found | None]) -> _Found:
    """What `look` finds, once it does; an `OSError` is not yet. Raises `TimeoutError` with the log's end."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        with suppress(OSError):
            found = look()
            if found is not None:
                return found
        time.sleep(0.05)
    said = log.read_text(errors="replace")[-2000:]
    raise TimeoutError(f"waited {_START_SECONDS:.0f} s in vain until {what}:\n{said}")
