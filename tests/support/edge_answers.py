"""What the server's WSGI application answers to a table of good and hostile requests, byte for byte.

`python -m tests.support.edge_answers` writes the table anew; its diff is a change of what clients get.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from arcan_gitops.access import Account, Caller, Revocations, TokenRecord, TokensFile
from arcan_gitops.access.token import mint
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms import Snapshot
from arcan_gitops.realms.snapshot import Environment, Tokens
from arcan_gitops.secret import SecretValue
from arcan_gitops.server.audit import AuditFailed, AuditLog
from arcan_gitops.server.edge import Edge
from arcan_gitops.sops import Digests
from tests.support.realm_files import CANARY

GOLDEN = Path(__file__).resolve().parents[1] / "server" / "edge_answers.txt"
NOW = 1_800_000_000.0
ONE = "/api/v1/eso/shop/DATABASE_URL"

_TOKENS = {
    "full": {"name": "full"},
    "narrow": {"name": "narrow", "keys": ("DATABASE_*", "MISSING")},
    "staging": {"name": "staging", "environments": ("staging", "gone")},
    "expired": {"name": "expired", "expires": datetime.fromtimestamp(NOW - 60, UTC)},
    "revoked": {"name": "revoked"},
    "other": {"name": "other", "realm": "platform"},
}
_MINTED = {name: mint() for name in [*_TOKENS, "unknown"]}
_SHOP = {
    "DATABASE_URL": CANARY,
    "GREETING": 'grüß "dich" <&> \n\t ☂ \u2028\x00\x7f\\/',
    "EMPTY": "",
    "a.b-c_d": "x",
}


def snapshot() -> Snapshot:
    """Two realms and a token of each kind."""
    records: dict[str, list[TokenRecord]] = {"shop": [], "platform": []}
    for name, given in _TOKENS.items():
        options = {"environments": None, "keys": None, "expires": None, **given}
        realm = str(options.pop("realm", "shop"))
        minted = _MINTED[name]
        records[realm].append(
            TokenRecord(id=minted.id, policy="read-only", created=datetime.fromtimestamp(0, UTC),
                        digest=minted.digest, **options)
        )  # type: ignore[arg-type]  # fmt: skip
    return Snapshot.build(
        {
            RealmName("shop"): {
                EnvironmentName("prod"): environment(_SHOP),
                EnvironmentName("none"): environment({}),
            },
            RealmName("platform"): {EnvironmentName("prod"): environment({"TOKEN": "t"})},
        },
        {RealmName(realm): Tokens(TokensFile(tuple(held)), "digest") for realm, held in records.items()},
    )


def environment(values: dict[str, str]) -> Environment:
    """A loaded one; the version of a key is `v` and the length of its name."""
    named = {KeyName(key): SecretValue(text) for key, text in values.items()}
    return Environment(named, "digest", Digests({key: f"v{len(key)}" for key in named}, "vall"))


@dataclass
class Process:
    """The process that the application runs in, as a test says that it is; and its connections."""

    held: Snapshot | None = field(default_factory=snapshot)
    is_draining: bool = False
    retired: bool = False
    failed: bool = False
    shown: list[str] = field(default_factory=list)

    def snapshot(self) -> Snapshot | None:
        return self.held

    def revoked(self, caller: Caller | Account) -> bool:
        return Revocations(ids=frozenset({_MINTED["revoked"].id})).cover(caller)

    def status(self) -> dict[str, Any] | None:
        return None

    def draining(self) -> bool:
        return self.is_draining

    def reload_failed(self) -> bool:
        return self.failed

    def answered(self, address: str) -> None:
        self.shown.append(address)


@dataclass(frozen=True)
class Asked:
    """One request, as Granian hands it over: the path decoded once, the query as it came."""

    path: str
    query: str | None = "env=prod"
    token: str | None = "full"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    process: str = ""

    def __str__(self) -> str:
        target = self.path if self.query is None else f"{self.path}?{self.query}"
        more = "".join(f" {name}: {_steady(text)[:40]!r}" for name, text in self.headers)
        shown = target.encode("unicode_escape").decode()
        shown = shown if len(shown) < 200 else f"{shown[:200]}... ({len(shown)})"
        return f"{self.method} {shown} [{self.token or 'no token'}]{more} {self.process}".rstrip()

    def environ(self) -> dict[str, Any]:
        given = {
            "REQUEST_METHOD": self.method, "PATH_INFO": self.path, "QUERY_STRING": self.query or "",
            "REMOTE_ADDR": "10.1.2.3", "SERVER_NAME": "localhost", "SERVER_PORT": "9797",
            "SERVER_PROTOCOL": "HTTP/1.1", "SCRIPT_NAME": "", "HTTP_HOST": "localhost", "wsgi.url_scheme": "https",
        }  # fmt: skip
        if self.token in _MINTED:
            given["HTTP_AUTHORIZATION"] = f"Bearer {_MINTED[self.token].text.reveal()}"
        for name, text in self.headers:
            given[f"HTTP_{name.upper().replace('-', '_')}"] = text
        return given


def table() -> Iterator[Asked]:
    """The requests."""
    yield from (Asked(f"/api/v1/eso/shop/{key}") for key in [*_SHOP, "NOPE", "MISSING"])
    yield from (
        Asked("/api/v1/eso/shop", query) for query in ("env=prod", "env=none", "env=nope", "env=gone")
    )
    for token in (*_MINTED, None):
        yield from (Asked(path, token=token) for path in (ONE, "/api/v1/eso/shop", "/nowhere", "/"))
        yield from (
            Asked(path, token=token) for path in ("/api/v1/eso/platform/TOKEN", "/api/v1/eso/shop/MISSING")
        )
        yield from (Asked(ONE, f"env={name}", token) for name in ("staging", "gone", "nope"))
    for method in (
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
        "OPTIONS",
        "PATCH",
        "TRACE",
        "CONNECT",
        "get",
        "PROPFIND",
        "",
    ):
        yield from (Asked(path, method=method) for path in (ONE, "/livez", "/readyz", "/nowhere", "*"))
    queries = [
        None, "", "env", "env=", "env=prod&", "&env=prod", "env=prod&env=prod", "env=prod&env=staging", "env=prod;x",
        "Env=prod", "env=PROD", "env=pr%6fd", "env=%70rod", "e%6ev=prod", "env=prod%00", "env=pr+od", "env=prod%20",
        "env=../prod", "env=prod&x=y", "x=y&env=prod", "env=prod#", "env=%", "env=%zz", "env=%ff", "env=prod&env",
        "env=prod&version", "env=prod&version=", "env=prod&version=v12", "version=v12&env=prod", "env=prod&version=old",
        "env=prod&version=v%31%32", "env=prod&version=v12&version=v12", "env=prod&version=%C3%BC", "version=v12", "=",
        "env=prod&version=vall", "env=prod&=", "env==prod", "env=prod=", "?env=prod", "env=prod&&version=v12", "&&&",
        "env=-prod", "env=prod-", "env=" + "p" * 63, "env=" + "p" * 64, "env=prod\u00fc", "&".join(["env=prod"] * 2000),
    ]  # fmt: skip
    yield from (Asked(ONE, query) for query in queries)
    yield from (Asked("/api/v1/eso/shop", query) for query in queries)
    yield Asked("/api/v1/eso/shop/NOPE", "env=prod&version=v4")
    yield Asked("/api/v1/eso/shop/NOPE", "env=prod&version=")
    paths = [
        "", "/", "//", "///", "*", "/api", "/api/v1/eso", "/api/v1/eso/", "/api/v1/eso//", "/api/v1/eso//X", ONE + "/",
        "/api/v1/eso/shop/", "/api/v1/eso/shop//", "/api/v1/eso/shop/X/Y", "/api/v1/eso/shop/X/", "//api/v1/eso/shop/X",
        "/api//v1/eso/shop/X", "/api/v1/eso/shop//X", "/API/v1/eso/shop/X", "/api/v2/eso/shop/X", "/api/v1/ESO/shop/X",
        "api/v1/eso/shop/X", "/api/v1/eso/shop/..", "/api/v1/eso/shop/.", "/api/v1/eso/shop/...", "/api/v1/eso/shop/..X",
        "/api/v1/eso/../eso/shop/X", "/api/v1/eso/./shop/X", "/api/v1/eso/shop/../shop/X", "/api/v1/eso/shop/X\n",
        "/api/v1/eso/shop\n", "/api/v1/eso/shop/\n", "/api/v1/eso/shop/X\x00", "/api/v1/eso/shop/a b", "/api/v1/eso/shop/a+b",
        "/api/v1/eso/shop/%2e%2e", "/api/v1/eso/shop/X%2FY", "/api/v1/eso/shop/%zz", "/api/v1/eso/shop/%", "/api/v1/eso/%/X",
"/api/v1/eso/shop/\u00c3\u00bc",
        "/api/v1/eso/\u00e6\u00bc\u00a2/X",
        "/api/v1/eso/shop/X\u00ef\u00bf\u00bd",
        "/api/v1/eso/Shop/X", "/api/v1/eso/-shop/X",
        "/api/v1/eso/shop-/X", "/api/v1/eso/sh_op/X", "/api/v1/eso/shop./X", "/api/v1/eso/" + "s" * 63 + "/X",
        "/api/v1/eso/" + "s" * 64 + "/X", "/api/v1/eso/shop/" + "K" * 253, "/api/v1/eso/shop/" + "K" * 254,
        "/api/v1/eso/shop/X;a=b", "/api/v1/eso/shop/X,Y", "/api/v1/eso/shop/X*", "/api/v1/eso/shop/X\\Y", "/x" * 3000,
        "/livez/", "/readyz/", "//livez", "/livez/..", "/LIVEZ", "/livez\n", "/healthz", "/metrics", "/static/x", "/status",
        "/version", "/favicon.ico", "http://evil.example/livez", "/api/v1/eso/shop/X?env=prod", "/api/v1/eso/{realm}",
    ]  # fmt: skip
    for path in paths:
        yield from (Asked(path, token=token) for token in ("full", None))
    full = _MINTED["full"].text.reveal()
    for header in (
        "", " ", "Bearer", "Bearer ", "bearer {}", "BEARER {}", "Bearer  {} ", "Bearer\t{}", "Basic {}", "{}", "Bearer {} x",
        "Bearer {},Bearer {}", "Bearer <no value>", "Bearer <no value>x", "Bearer \u00fc", "Bearer {}\x00", "Bearer \ufffd",
        'Bearer "{}"', "Bearer arc_", "Bearer " + "x" * 9000, "Bearer {}\u00a0", "  Bearer {}", "Token {}", "Bearer \ud800",
    ):  # fmt: skip
        yield Asked(ONE, token=None, headers=(("Authorization", header.replace("{}", full)),))
    for text in (
        "",
        "shop",
        "n" * 253,
        "n" * 300,
        "\u00fc" * 4000,
        '"\\/\x00\x1f\x7f\u2028',
        "\ud800\udfff",
        "\U0001f511",
        "a,b",
    ):
        yield Asked(ONE, headers=(("X-Kubernetes-Namespace", text),))
        yield Asked(ONE, token="unknown", headers=(("X-Kubernetes-Namespace", text),))
    for name, text in (("If-None-Match", "*"), ("If-Modified-Since", "x"), ("Range", "bytes=0-1"), ("Expect", "100-continue"),
                       ("Accept-Encoding", "gzip"), ("Accept", "text/html"), ("X-Request-Id", "mine"), ("Host", "evil\u00fc"),
                       ("Connection", "close"), ("Cookie", "session=x"), ("X-Forwarded-For", "6.6.6.6"),
                       ("X-HTTP-Method-Override", "DELETE"), ("Content-Type", "multipart/form-data")):  # fmt: skip
        yield from (Asked(path, headers=((name, text),)) for path in (ONE, "/livez", "/readyz"))
    for process in ("draining", "retired", "not loaded", "audit failing", "reload failed"):
        for path in (ONE, "/api/v1/eso/shop", "/livez", "/readyz", "/nowhere", "/api/v1/eso/shop/NOPE"):
            yield from (Asked(path, token=token, process=process) for token in ("full", "unknown", None))
        yield Asked("/livez", method="HEAD", process=process)


def answers() -> str:
    """The whole table, with what differs from run to run taken out."""
    with tempfile.TemporaryDirectory() as folder:
        return "\n".join(_answered(asked, Path(folder, "audit.log")) for asked in table())


def _answered(asked: Asked, path: Path) -> str:
    """An audit log holds its descriptors for as long as its process lives; here there are hundreds of them."""
    before = _descriptors()
    try:
        return _answer(asked, path)
    finally:
        for descriptor in _descriptors() - before:
            os.close(descriptor)


def _descriptors() -> set[int]:
    """Those that are open, without that of the folder that names them."""
    return {int(name) for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}")}


def _answer(asked: Asked, path: Path) -> str:
    path.write_bytes(b"")
    audit = AuditLog(str(path), clock=lambda: NOW + 0.25)
    process = Process()
    if asked.process == "not loaded":
        process.held = None
    if asked.process == "audit failing":
        audit = _Failing("-")
    process.is_draining = asked.process == "draining"
    process.retired = asked.process == "retired"
    process.failed = asked.process == "reload failed"
    app = Edge(process, audit, process, clock=lambda: NOW)
    heads: list[tuple[str, list[tuple[str, str]]]] = []
    try:
        body = b"".join(
            app(asked.environ(), lambda status, headers, error=None: heads.append((status, headers)))
        )
        [(status, headers)] = heads
        lines = ["; ".join([status[:3], *(f"{name}: {text}" for name, text in headers)]), repr(body)]
    except Exception as error:  # what Granian makes a 500 without a body of
        lines = [f"raises {type(error).__name__}"]
    audited = path.read_bytes().decode("ascii").splitlines()
    lines += [f"audit {_CHAINED.sub('', line)}" for line in audited if '"event":"began"' not in line]
    lines += [f"shown {address}" for address in process.shown]
    return "".join(f"{line}\n" for line in [_steady(str(asked)), *("  " + _steady(line) for line in lines)])


class _Failing(AuditLog):
    @property
    def failing(self) -> bool:
        return True

    def write(self, *_: object) -> None:
        raise AuditFailed("full")

    refuse = write


# What chains a line to the one before: other tests are of that.
_CHAINED = re.compile(r'"instance":"[^"]*","chain":"[0-9a-f]{16}",|,"hash":"[0-9a-f]{64}"(?=}$)')


def _steady(line: str) -> str:
    for name, minted in _MINTED.items():
        line = line.replace(minted.text.reveal(), f"<{name}>").replace(minted.id, f"<id of {name}>")
    return re.sub(r"(X-Request-Id: |\"request_id\":\")[0-9a-f]{16}\b", r"\1<16 digits>", line)


def main() -> None:
    GOLDEN.write_text(answers())


if __name__ == "__main__":
    main()
