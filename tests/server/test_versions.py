"""A read that names a version gets that version or 503: never another value, and never a 404."""

from __future__ import annotations

import pytest

from arcan_gitops.sops import digests
from tests.server.conftest import Running

KEY = "/api/v1/eso/shop/DATABASE_URL?env=prod"
ALL = "/api/v1/eso/shop?env=prod"


def versions(running: Running) -> tuple[str, str]:
    """That of DATABASE_URL, and that of the document."""
    found = digests(running.files.path("shop", "prod").read_bytes())
    return found.keys["DATABASE_URL"], found.document


def test_the_version_that_is_loaded_is_answered(running: Running):
    key, document = versions(running)
    assert running.server.get(f"{KEY}&version={key}", running.token).status == 200
    assert running.server.get(f"{ALL}&version={document}", running.token).status == 200


def test_an_empty_version_names_none(running: Running):
    plain = running.server.get(KEY, running.token)
    assert running.server.get(f"{KEY}&version=", running.token).body == plain.body
    assert running.server.get("/api/v1/eso/shop/NOPE?env=prod&version=", running.token).status == 404


@pytest.mark.parametrize(
    "version", ["000000000000", "nope", "%20", "a%2Fb", "x" * 300, "%FF", "%3Cno+value%3E"]
)
def test_any_other_version_is_503(running: Running, version: str):
    for target in (KEY, ALL, "/api/v1/eso/shop/NOPE?env=prod"):
        answer = running.server.get(f"{target}&version={version}", running.token)
        assert (answer.status, answer.code) == (503, "version_not_loaded")


def test_the_version_of_another_key_or_of_the_document_is_not_that_of_this_one(running: Running):
    key, document = versions(running)
    other = "/api/v1/eso/shop/PORT?env=prod"
    for target, version in ((other, key), (KEY, document), (ALL, key)):
        assert running.server.get(f"{target}&version={version}", running.token).code == "version_not_loaded"


def test_whoever_may_not_read_a_key_learns_nothing_of_its_version(running: Running):
    key, _ = versions(running)
    for version in (key, "000000000000"):
        assert running.server.get(f"{KEY}&version={version}", running.staging).code == "forbidden"
        assert running.server.get(f"{KEY}&version={version}").status == 401


def test_a_version_does_not_hide_a_wrong_environment(running: Running):
    target = "/api/v1/eso/shop/DATABASE_URL?env=nope&version=000000000000"
    assert running.server.get(target, running.token).code == "unknown_environment"


@pytest.mark.parametrize(
    "query",
    [
        "version=x",
        "env=prod&version=x&version=x",
        "env=prod&version=&version=",
        "env=prod&Version=x",
        "env=prod&version=x&more=y",
        "env=prod;version=x",
    ],
)
def test_a_query_that_says_anything_else_is_malformed(running: Running, query: str):
    answer = running.server.get(f"/api/v1/eso/shop/DATABASE_URL?{query}", running.token)
    assert (answer.status, answer.code) == (400, "malformed_query")


def test_the_order_of_the_two_is_free(running: Running):
    key, _ = versions(running)
    target = f"/api/v1/eso/shop/DATABASE_URL?version={key}&env=prod"
    assert running.server.get(target, running.token).status == 200
