"""What changes in Git changes in the cluster, and nothing else does."""

from __future__ import annotations

from tests.e2e.cluster import Cluster
from tests.e2e.conftest import NewTeam


def test_a_merged_change_arrives_at_once(new_team: NewTeam, cluster: Cluster) -> None:
    """Nobody waits for the refresh interval of an hour: the manifests name the version that they want."""
    team = new_team({"PASSWORD": "old", "OTHER": "same"})
    cluster.make_namespace("change")
    team.make_token("change", "change")
    secrets = {"name": "single", "keys": ["PASSWORD", "OTHER"]}, {"name": "bulk", "all": True}
    team.declare("change", "change", *secrets)
    team.deploy()
    cluster.sync("change")
    team.merge({"PASSWORD": "new", "OTHER": "same"})
    team.roll_out()
    team.deploy()
    for name in ("single", "bulk"):
        cluster.wait_for_secret("change", name, {"PASSWORD": "new", "OTHER": "same"}, seconds=10)
    cluster.sync("change")


def test_a_change_is_never_recorded_as_done_with_the_old_value(new_team: NewTeam, cluster: Cluster) -> None:
    """The manifests reach the cluster first, and the only server there is still has the old documents."""
    team = new_team({"USER": "old", "PASSWORD": "old"})
    cluster.make_namespace("lagging")
    team.make_token("lagging", "lagging")
    secrets = {"name": "single", "keys": ["USER", "PASSWORD"]}, {"name": "bulk", "all": True}
    team.declare("lagging", "lagging", *secrets)
    team.deploy()
    cluster.sync("lagging")
    team.merge({"USER": "new", "PASSWORD": "new"})
    team.deploy()
    seen = cluster.sync("lagging")
    for name in ("single", "bulk"):
        assert seen["lagging", name].reason == "SecretSyncedError"
        assert "503" in seen["lagging", name].problem
        assert seen["lagging", name].texts == {"USER": "old", "PASSWORD": "old"}
    team.roll_out()  # and nothing else: the operator tries again by itself
    for name in ("single", "bulk"):
        cluster.wait_for_secret("lagging", name, {"USER": "new", "PASSWORD": "new"}, seconds=60)


def test_a_new_user_is_never_paired_with_an_old_password(new_team: NewTeam, cluster: Cluster) -> None:
    """Two changes, of which the server has one and the manifests want both."""
    team = new_team({"USER": "old", "PASSWORD": "old", "OTHER": "same"})
    cluster.make_namespace("pair")
    team.make_token("pair", "pair")
    team.declare(
        "pair", "pair", {"name": "pair", "keys": ["USER", "PASSWORD"]}, {"name": "other", "keys": ["OTHER"]}
    )
    team.deploy()
    cluster.sync("pair")
    team.merge({"USER": "new", "PASSWORD": "old", "OTHER": "same"})
    team.roll_out()
    team.merge({"USER": "new", "PASSWORD": "new", "OTHER": "same"})
    team.deploy()
    seen = cluster.sync("pair")
    assert seen["pair", "pair"].texts == {"USER": "old", "PASSWORD": "old"}
    assert seen["pair", "pair"].reason == "SecretSyncedError"
    assert seen["pair", "other"].reason == "SecretSynced"  # its key is not concerned
    team.roll_out()
    cluster.wait_for_secret("pair", "pair", {"USER": "new", "PASSWORD": "new"}, seconds=60)


def test_a_key_that_is_declared_no_more_leaves_the_secret(new_team: NewTeam, cluster: Cluster) -> None:
    team = new_team({"A": "1", "B": "2"})
    cluster.make_namespace("fewer")
    team.make_token("fewer", "fewer")
    team.declare("fewer", "fewer", {"name": "app", "keys": ["A", "B"]})
    team.deploy()
    cluster.sync("fewer")
    team.declare("fewer", "fewer", {"name": "app", "keys": ["A"]})
    team.deploy()
    cluster.wait_for_secret("fewer", "app", {"A": "1"})


def test_a_key_that_left_the_realm_leaves_the_cluster_where_that_was_asked_for(
    new_team: NewTeam, cluster: Cluster
) -> None:
    team = new_team({"A": "1", "B": "2"})
    cluster.make_namespace("removed")
    team.make_token("removed", "removed")
    latest = {"consistency": "latest"}  # the key leaves before the declaration does
    retain = {"name": "retain", "keys": ["B"], "deletionPolicy": "Retain"}
    delete = {"name": "delete", "keys": ["B"], "deletionPolicy": "Delete"}
    merge = {"name": "merge", "keys": ["A", "B"], "deletionPolicy": "Merge"}
    team.declare("removed", "removed", retain, delete, merge, **latest)
    team.deploy()
    cluster.sync("removed")
    team.merge({"A": "1"})
    team.roll_out()
    seen = cluster.sync("removed")
    assert seen["removed", "retain"].reason == "SecretSyncedError"
    assert seen["removed", "retain"].texts == {"B": "2"}
    assert seen["removed", "delete"].reason == "SecretDeleted"
    assert seen["removed", "delete"].type is None
    assert seen["removed", "merge"].texts == {"A": "1"}


def test_an_external_secret_that_is_pruned_takes_its_secret_along(
    new_team: NewTeam, cluster: Cluster
) -> None:
    """By its own hand where the policy is Delete; else by Kubernetes, to which the Secret names its owner."""
    team = new_team({"A": "1"})
    cluster.make_namespace("pruned")
    team.make_token("pruned", "pruned")
    delete = {"name": "delete", "keys": ["A"], "deletionPolicy": "Delete"}
    team.declare("pruned", "pruned", {"name": "retain", "keys": ["A"]}, delete)
    team.deploy()
    cluster.sync("pruned")
    (owner,) = cluster.object("pruned", "secret", "retain")["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("ExternalSecret", "retain", True)
    cluster.api.kubectl("delete", "externalsecret", "delete", "-n", "pruned")
    assert cluster.secret("pruned", "delete") is None
