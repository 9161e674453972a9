"""Declared, applied, there: from a realm file to a Kubernetes Secret."""

from __future__ import annotations

import json

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.conftest import NewTeam

AWKWARD = {
    "DATABASE_URL": "postgres://shop:p%40ss@db/shop?x=1&y=2",
    "GREETING": "grüß \"dich\" 'x' \\ ☂\ttab",
    "MULTILINE": "one\ntwo\n\n  three \n",
    "HTML": "<a href='x'>&</a>",
    "TEMPLATE": "{{ .remoteRef.key }} {{ fail `no` }} $(x) ${y}",
    "NUMBER": "12345678901234568000000",
    "tls.crt": "-----BEGIN CERTIFICATE-----\nMIIB<>&\n-----END CERTIFICATE-----\n",
}


@pytest.mark.parametrize("unified", [False, True], ids=["two-stores", "one-store"])
def test_every_declared_secret_appears_with_the_right_bytes(
    new_team: NewTeam, cluster: Cluster, unified: bool
) -> None:
    namespace = f"bytes-{unified}".lower()
    team = new_team(AWKWARD, stores={"unified": unified})
    cluster.make_namespace(namespace)
    team.make_token("bytes", namespace)
    team.declare(
        "bytes",
        namespace,
        {"name": "one-by-one", "keys": list(AWKWARD)},
        {"name": "renamed", "keys": [{"key": "tls.crt", "as": "ca.crt"}]},
        {"name": "everything", "all": True},
    )
    team.deploy()
    seen = cluster.sync(namespace)
    assert {one.reason for one in seen.values()} == {"SecretSynced"}
    assert seen[namespace, "one-by-one"].texts == AWKWARD
    assert seen[namespace, "everything"].texts == AWKWARD
    assert seen[namespace, "renamed"].texts == {"ca.crt": AWKWARD["tls.crt"]}
    assert {one.type for one in seen.values()} == {"Opaque"}


def test_every_type_of_secret_appears_as_the_type_that_it_is(new_team: NewTeam, cluster: Cluster) -> None:
    team = new_team(
        {"CERTIFICATE": "cert", "PRIVATE_KEY": "key", "SSH": "ssh key", "USER": "anna", "PASSWORD": "p:w"}
    )
    cluster.make_namespace("types")
    team.make_token("types", "types")
    login = [{"key": "USER", "as": "username"}, {"key": "PASSWORD", "as": "password"}]
    certificate = [{"key": "CERTIFICATE", "as": "tls.crt"}, {"key": "PRIVATE_KEY", "as": "tls.key"}]
    team.declare(
        "types",
        "types",
        {"name": "tls", "type": "kubernetes.io/tls", "keys": certificate},
        {"name": "ssh", "type": "kubernetes.io/ssh-auth", "keys": [{"key": "SSH", "as": "ssh-privatekey"}]},
        {"name": "basic", "type": "kubernetes.io/basic-auth", "keys": login},
        {"name": "docker", "type": "kubernetes.io/dockerconfigjson", "registry": "ghcr.io", "keys": login},
    )
    team.deploy()
    seen = cluster.sync("types")
    assert {name: one.type for (_, name), one in seen.items()} == {
        "tls": "kubernetes.io/tls",
        "ssh": "kubernetes.io/ssh-auth",
        "basic": "kubernetes.io/basic-auth",
        "docker": "kubernetes.io/dockerconfigjson",
    }
    assert seen["types", "tls"].texts == {"tls.crt": "cert", "tls.key": "key"}
    assert seen["types", "ssh"].texts == {"ssh-privatekey": "ssh key"}
    assert seen["types", "basic"].texts == {"username": "anna", "password": "p:w"}
    (config,) = seen["types", "docker"].texts.values()
    assert json.loads(config) == {"auths": {"ghcr.io": {"auth": "YW5uYTpwOnc="}}}


def test_a_whole_environment_arrives_under_rewritten_names(new_team: NewTeam, cluster: Cluster) -> None:
    team = new_team({"DB_USER": "anna", "DB_PASSWORD": "secret"})
    cluster.make_namespace("rewritten")
    team.make_token("rewritten", "rewritten")
    rewrite = [{"source": "^DB_(.*)$", "target": "database_$1"}]
    team.declare("rewritten", "rewritten", {"name": "all", "all": True, "rewrite": rewrite})
    team.deploy()
    seen = cluster.sync("rewritten")
    assert seen["rewritten", "all"].texts == {"database_USER": "anna", "database_PASSWORD": "secret"}


def test_a_secret_that_is_deleted_by_hand_comes_back(new_team: NewTeam, cluster: Cluster) -> None:
    team = new_team({"A": "1"})
    cluster.make_namespace("by-hand")
    team.make_token("by-hand", "by-hand")
    team.declare("by-hand", "by-hand", {"name": "app", "keys": ["A"]})
    team.deploy()
    cluster.sync("by-hand")
    cluster.api.kubectl("delete", "secret", "app", "-n", "by-hand")
    cluster.wait_for_secret("by-hand", "app", {"A": "1"})


def test_nobody_has_to_wait_for_the_interval(new_team: NewTeam, cluster: Cluster) -> None:
    """An app that is not pinned to versions learns of a change in an hour, or by `arcan sync`."""
    team = new_team({"A": "old"})
    cluster.make_namespace("waiting")
    team.make_token("waiting", "waiting")
    team.declare("waiting", "waiting", {"name": "app", "keys": ["A"]}, consistency="latest")
    team.deploy()
    cluster.sync("waiting")
    team.merge({"A": "new"})
    team.roll_out()
    assert cluster.secret("waiting", "app") == {"A": b"old"}
    team.arcan("sync", "waiting", "--overlay=prod", "--run")
    cluster.wait_for_secret("waiting", "app", {"A": "new"}, seconds=10)
