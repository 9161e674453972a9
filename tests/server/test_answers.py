"""The order of decisions over a real TLS socket: what ESO gets, and above all what it never gets."""

from __future__ import annotations

import ast
import random
import re
from pathlib import Path

import pytest

from arcan_gitops.server import routes
from tests.server.conftest import Running
from tests.support.live_server import unknown_token
from tests.support.realm_files import CANARY

ONE = "/api/v1/eso/shop/DATABASE_URL?env=prod"
ALL = "/api/v1/eso/shop?env=prod"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("DATABASE_URL", CANARY),
        ("PORT", "5432"),
        ("RATIO", "0.1"),
        ("BIG", "12345678901234567"),
        ("FLAG", "true"),
        ("SINCE", "2024-01-02T03:04:05.123456789Z"),
        ("GREETING", 'grüß "dich" <&> \n\t ☂'),
        ("LIMITS", '{"a":[1,2.5,"<x>"],"b":false}'),
    ],
)
def test_one_key_is_answered_as_text(running: Running, key: str, value: str) -> None:
    answer = running.server.get(f"/api/v1/eso/shop/{key}?env=prod", running.token)
    assert (answer.status, answer.json) == (200, {"value": value})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"


def test_all_keys_are_answered_in_document_order(running: Running) -> None:
    data = running.server.get(ALL, running.token).json["data"]
    assert list(data) == ["DATABASE_URL", "PORT", "RATIO", "BIG", "FLAG", "SINCE", "GREETING", "LIMITS"]
    assert all(isinstance(value, str) for value in data.values())


def refusal(running: Running, target: str, token: str | None, *, method: str = "GET") -> tuple[int, str]:
    answer = running.server.get(target, token, method=method)
    assert CANARY not in answer.body.decode()
    assert answer.headers["cache-control"] == "no-store"
    return answer.status, answer.code if method != "HEAD" else ""


@pytest.mark.parametrize(
    ("method", "target", "header", "value"),
    [
        ("GET", "/nowhere", "www-authenticate", "Bearer"),
        ("POST", ONE, "allow", "GET"),
        ("GET", "/livez", "content-type", "application/json"),
        ("GET", "/readyz", "content-type", "application/json"),
    ],
)
def test_an_answer_says_what_it_is_and_is_neither_kept_nor_guessed_at(
    running: Running, method: str, target: str, header: str, value: str
) -> None:
    headers = running.server.get(target, None, method=method).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers[header] == value


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "PROPFIND"])
@pytest.mark.parametrize("target", [ONE, "/livez", "/readyz", "/nowhere"])
def test_only_get_is_answered_and_that_is_decided_first(running: Running, method: str, target: str) -> None:
    assert refusal(running, target, None, method=method)[0] == 405


@pytest.mark.parametrize("target", [ONE, ALL, "/nowhere", "/api/v1/eso/a b?env", "/"])
def test_without_a_valid_token_everything_is_401_even_nonsense(running: Running, target: str) -> None:
    target = target.replace(" ", "%20")
    assert refusal(running, target, None) == (401, "unauthorized")
    assert refusal(running, target, unknown_token()) == (401, "unauthorized")
    assert refusal(running, target, "") == (401, "unauthorized")
    flipped = running.token[:-1] + ("0" if running.token[-1] != "0" else "1")
    assert refusal(running, target, flipped) == (401, "unauthorized")
    assert running.server.get(target, None, Authorization=f"Basic {running.token}").status == 401
    assert running.server.get(target, None, Authorization=running.token).status == 401


def test_a_store_with_a_wrong_template_name_gets_its_own_hint_in_the_log(running: Running) -> None:
    assert refusal(running, ONE, "<no value>") == (401, "unauthorized")
    running.server.wait_for_log(r"Bearer <no value>.*secrets\[\] entry")


def test_outside_the_scope_is_403_whether_it_exists_or_not(running: Running) -> None:
    for target in (
        "/api/v1/eso/platform/TOKEN?env=prod",
        "/api/v1/eso/platform/NOPE?env=prod",
        "/api/v1/eso/nowhere/TOKEN?env=prod",
        "/api/v1/eso/nowhere?env=prod",
    ):
        assert refusal(running, target, running.token) == (403, "forbidden")
    for target in (ONE, ALL, "/api/v1/eso/shop/NOPE?env=other"):
        assert refusal(running, target, running.staging) == (403, "forbidden")
    for target in ("/api/v1/eso/shop/PORT?env=prod", "/api/v1/eso/shop/NOPE?env=prod"):
        assert refusal(running, target, running.narrow) == (403, "forbidden")


def test_a_narrowed_token_reads_its_keys_and_never_a_filtered_bulk(running: Running) -> None:
    assert running.server.get(ONE, running.narrow).status == 200
    assert refusal(running, ALL, running.narrow) == (403, "bulk_needs_all_keys")


def test_an_environment_that_is_not_loaded_is_400_and_never_404(running: Running) -> None:
    assert refusal(running, "/api/v1/eso/shop/X?env=nope", running.token) == (400, "unknown_environment")
    assert refusal(running, "/api/v1/eso/shop?env=nope", running.token) == (400, "unknown_environment")
    assert refusal(running, "/api/v1/eso/shop?env=gone", running.staging) == (400, "unknown_environment")


def test_404_means_that_the_key_is_truly_not_there(running: Running) -> None:
    assert refusal(running, "/api/v1/eso/shop/NOPE?env=prod", running.token) == (404, "key_not_found")
    assert refusal(running, "/api/v1/eso/shop/MISSING?env=prod", running.narrow) == (404, "key_not_found")


def test_live_and_ready_need_no_token_and_name_nothing(running: Running) -> None:
    assert running.server.get("/livez").status == 200
    ready = running.server.ready()
    assert ready["status"] == "ready"
    assert ready["reload"] == "ok"
    assert re.fullmatch("[0-9a-f]{64}", ready["revision"])
    assert set(ready) == {"status", "revision", "reload"}


def malformed_targets() -> list[str]:
    """200 targets that are none of the routes, or have a name or a query that is none."""
    handmade = [
        "/", "//", "/api", "/api/v1/eso", "/api/v1/eso/", "/api/v1/eso/?env=prod", "/api/v1/eso//X?env=prod",
        "/api/v1/eso/shop/?env=prod", "/api/v1/eso/shop/X/?env=prod", "/api/v1/eso/shop/X/Y?env=prod",
        "//api/v1/eso/shop/X?env=prod", "/api//v1/eso/shop/X?env=prod", "/api/v1/eso/shop//?env=prod",
        "/api/v1/eso/shop/a%2Fb?env=prod", "/api/v1/eso/shop/a+b?env=prod", "/api/v1/eso/shop/a%20b?env=prod",
        "/api/v1/eso/shop/%2e%2e?env=prod", "/api/v1/eso/shop/..?env=prod", "/api/v1/eso/shop/.?env=prod",
        "/api/v1/eso/shop/../shop/X?env=prod", "/api/v1/eso/../eso/shop/X?env=prod", "/api/v1/eso/shop/%252e?env=prod",
        "/api/v1/eso/shop/%FF?env=prod", "/api/v1/eso/shop/%zz?env=prod", "/api/v1/eso/shop/%00?env=prod",
        "/api/v1/eso/shop/X%0d%0aA:b?env=prod", "/api/v1/eso/Shop/X?env=prod", "/api/v1/eso/-shop/X?env=prod",
        "/api/v1/eso/shop-/X?env=prod", "/api/v1/eso/sh_op/X?env=prod", "/api/v1/eso/%73hop./X?env=prod",
        "/api/v1/eso/shop/X", "/api/v1/eso/shop/X?", "/api/v1/eso/shop/X?env", "/api/v1/eso/shop/X?env=",
        "/api/v1/eso/shop/X?env=prod&env=prod", "/api/v1/eso/shop/X?env=prod&env=staging", "/api/v1/eso/shop/X?Env=prod",
        "/api/v1/eso/shop/X?env=PROD", "/api/v1/eso/shop/X?env=pr%20od", "/api/v1/eso/shop/X?env=../prod",
        "/api/v1/eso/shop/X?env=prod&x=y", "/api/v1/eso/shop/X?x=y&env=prod", "/api/v1/eso/shop/X?env=prod;env=prod",
        "/api/v1/eso/shop/X?env=%00", "/api/v1/eso/shop/X?env=prod%23", "/api/v1/eso/shop/X?environment=prod",
        "/API/v1/eso/shop/X?env=prod", "/api/v2/eso/shop/X?env=prod", "/api/v1/ESO/shop/X?env=prod",
        "/livez/", "/readyz/", "/livez/x", "/healthz", "/metrics", "/static/x", "/favicon.ico", "/robots.txt",
        "/api/v1/eso/shop/" + "X" * 254 + "?env=prod", "/api/v1/eso/" + "s" * 64 + "/X?env=prod",
        "http://evil.example/", "http://evil.example/nowhere?env=prod", "/api/v1/eso/shop/X;a=b?env=prod",
        "/api/v1/eso/shop/X,Y?env=prod", "/api/v1/eso/shop/X*?env=prod", "/api/v1/eso/shop/~X?env=prod",
        "/api/v1/eso/shop/%C3%BC?env=prod", "/api/v1/eso/%E6%BC%A2/X?env=prod", "/api/v1/eso/shop/X\\Y?env=prod",
    ]  # fmt: skip
    chooser = random.Random(2031)
    segments = [
        "",
        ".",
        "..",
        "shop",
        "X",
        "%2F",
        "%2e%2e",
        "a b".replace(" ", "%20"),
        "+",
        "ü".encode().hex(),
        "%",
    ]
    while len(handmade) < 200:
        tail = "/".join(chooser.choice(segments) for _ in range(chooser.randint(3, 6)))
        target = f"/api/v1/eso/{tail}{chooser.choice(['', '?env=prod', '?env', '?env=prod&env=prod'])}"
        if target not in handmade:
            handmade.append(target)
    return handmade


def test_no_malformed_target_gets_a_404_or_a_redirect(running: Running) -> None:
    targets = malformed_targets()
    assert len(targets) == 200
    for target in targets:
        status = running.server.get(target, running.token).status
        assert status in (400, 403, 405), (target, status)


def test_the_path_is_decoded_once(running: Running) -> None:
    assert running.server.get("/api/v1/eso/shop/DATABASE%5FURL?env=prod", running.token).status == 200
    assert running.server.get("/api/v1/eso/shop%2FDATABASE_URL?env=prod", running.token).status == 200
    assert running.server.get("/api/v1/eso/shop/DATABASE%255FURL?env=prod", running.token).status == 400


def test_conditional_requests_are_never_answered_304(running: Running) -> None:
    for header in ("If_None_Match", "If_Modified_Since"):
        assert running.server.get(ONE, running.token, **{header: "*"}).status == 200


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"])
def test_tls_1_2_is_the_least(running: Running, version: str) -> None:
    import http.client
    import ssl
    import warnings

    context = running.server.tls()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    context.set_ciphers("ALL:@SECLEVEL=0")
    connection = http.client.HTTPSConnection("localhost", running.server.port, context=context, timeout=5)
    if version in ("TLSv1", "TLSv1_1"):
        with pytest.raises((ssl.SSLError, OSError)):
            connection.request("GET", "/livez")
    else:
        connection.request("GET", "/livez")
        assert connection.getresponse().status == 200
    connection.close()


def test_only_http_1_1_is_offered(running: Running) -> None:
    import socket

    context = running.server.tls()
    context.set_alpn_protocols(["h2", "http/1.1"])
    plain = socket.create_connection(("localhost", running.server.port))
    with context.wrap_socket(plain, server_hostname="localhost") as secure:
        assert secure.selected_alpn_protocol() == "http/1.1"


def test_nothing_but_the_probes_is_answered_without_a_token(running: Running) -> None:
    """Whatever the server's code takes for a path must be a route of the table, or need a token."""
    package = Path(routes.__file__).parent
    texts = {
        node.value
        for module in package.rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    guessed = {"/version", "/metrics", "/health", "/healthz", "/status", "/debug", "/", "/api/v1/eso"}
    paths = {text for text in texts if re.fullmatch(r"/[A-Za-z0-9/_.-]*", text)} | guessed
    assert {"/livez", "/readyz"} <= paths
    answered = {path for path in paths if running.server.get(path).status != 401}
    assert answered == set(routes.PROBES) == {"/livez", "/readyz"}
