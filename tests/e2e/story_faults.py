"""Whatever breaks, the Secrets stay: those that may be deleted too."""

from __future__ import annotations

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.conftest import NewTeam
from tests.e2e.platform_team import PlatformTeam

VALUES = {"A": "1", "B": "2"}


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> str:
    """One for each story."""
    name: str = request.node.name
    return name.removeprefix("test_").replace("_", "-")[:40].strip("-")


@pytest.fixture
def team(new_team: NewTeam, cluster: Cluster, namespace: str) -> PlatformTeam:
    """One Secret for each deletion policy, and one with all keys."""
    team = new_team(VALUES)
    cluster.make_namespace(namespace)
    team.make_token("app", namespace)
    policies = ("Retain", "Delete", "Merge")
    single = [
        {"name": f"single-{policy.lower()}", "keys": ["A"], "deletionPolicy": policy} for policy in policies
    ]
    bulk = {"name": "bulk-delete", "all": True, "deletionPolicy": "Delete"}
    team.declare("app", namespace, *single, bulk)
    team.deploy()
    seen = cluster.sync(namespace)
    assert {one.reason for one in seen.values()} == {"SecretSynced"}
    return team


def assert_all_stay(team: PlatformTeam, namespace: str, reason: str, problem: str = "") -> None:
    """Every Secret is there as it was, and its ExternalSecret says why it was not refreshed."""
    for (_, name), seen in team.cluster.sync(namespace).items():
        assert seen.reason == reason
        assert problem in seen.problem
        assert seen.texts == (VALUES if name.startswith("bulk") else {"A": "1"})


def assert_they_recover(team: PlatformTeam, namespace: str) -> None:
    """Once repaired, the next refresh is like any other."""
    assert_all_stay(team, namespace, "SecretSynced")


def test_a_revoked_token_takes_no_secret_away(team: PlatformTeam, namespace: str) -> None:
    team.revoke("app")
    assert_all_stay(team, namespace, "SecretSyncedError", "401")


def test_a_token_that_was_narrowed_takes_no_secret_away(team: PlatformTeam, namespace: str) -> None:
    team.revoke("app")
    team.make_token("narrow", namespace, key="B")
    assert_all_stay(team, namespace, "SecretSyncedError", "403")


def test_a_dead_server_takes_no_secret_away(team: PlatformTeam, namespace: str) -> None:
    team.server.process.kill()
    team.server.process.wait()
    assert_all_stay(team, namespace, "SecretSyncedError", "connection refused")
    team.restart_server()
    assert_they_recover(team, namespace)


def test_a_tampered_document_takes_no_secret_away(team: PlatformTeam, namespace: str) -> None:
    """The server goes on from the last good state, and so does the next one; that of a rollout never starts."""
    team.tamper("A")
    team.roll_out()
    assert_all_stay(team, namespace, "SecretSynced")
    team.server.process.kill()
    team.server.process.wait()
    never_ready = team.new_server("--start", "whole")
    with pytest.raises(AssertionError, match="MAC"):
        never_ready.__enter__()
    assert_all_stay(team, namespace, "SecretSyncedError", "connection refused")
    team.restart_server()
    assert_all_stay(team, namespace, "SecretSynced")
    team.restore()
    team.roll_out()
    assert_they_recover(team, namespace)


def test_a_server_that_is_still_starting_takes_no_secret_away(team: PlatformTeam, namespace: str) -> None:
    with team.restarting_slowly():
        assert_all_stay(team, namespace, "SecretSyncedError", "connection refused")
    assert_they_recover(team, namespace)


def test_a_server_that_hangs_takes_no_secret_away(new_team: NewTeam, cluster: Cluster) -> None:
    """It listens, and does not answer. One Secret only: each costs the store's whole timeout."""
    team = new_team(VALUES)
    cluster.make_namespace("hanging")
    team.make_token("app", "hanging")
    team.declare("app", "hanging", {"name": "single-delete", "keys": ["A"], "deletionPolicy": "Delete"})
    team.deploy()
    cluster.sync("hanging")
    with team.hanging_server():
        assert_all_stay(team, "hanging", "SecretSyncedError", "Client.Timeout exceeded")
    assert_they_recover(team, "hanging")


def test_a_label_or_a_ca_that_is_gone_takes_no_secret_away(team: PlatformTeam, namespace: str) -> None:
    label = "external-secrets.io/type-"
    team.cluster.api.kubectl("label", "secret", "arcan-credentials", label, "-n", namespace)
    assert_all_stay(team, namespace, "SecretSyncedError", "needed label")
    team.cluster.api.kubectl("delete", "configmap", "arcan-ca", "-n", namespace)
    assert_all_stay(team, namespace, "SecretSyncedError", "arcan-ca")


def test_a_typo_in_realm_or_environment_takes_no_secret_away(team: PlatformTeam, namespace: str) -> None:
    for right, wrong in (("env=prod", "env=prd"), ("eso/production", "eso/prodction")):
        team.apply_with_typo(right, wrong)
        assert_all_stay(team, namespace, "SecretSyncedError", "40")
        team.deploy()
    assert_they_recover(team, namespace)
