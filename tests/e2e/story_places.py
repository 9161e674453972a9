"""A document that was copied, and keys that were lost or removed: what the operator makes of the answers."""

from __future__ import annotations

from tests.e2e.cluster import Cluster
from tests.e2e.conftest import NewTeam


def test_another_realms_document_in_the_place_of_ones_own_changes_nothing(
    new_team: NewTeam, cluster: Cluster
) -> None:
    team = new_team({"A": "1"})
    cluster.make_namespace("copied")
    team.make_token("app", "copied")
    team.declare("app", "copied", {"name": "app", "keys": ["A"], "deletionPolicy": "Delete"})
    team.deploy()
    assert cluster.sync("copied")["copied", "app"].texts == {"A": "1"}
    team.copy_from_another_realm({"A": "stolen"})
    team.roll_out()
    seen = cluster.sync("copied")["copied", "app"]
    assert (seen.reason, seen.texts) == ("SecretSynced", {"A": "1"})
    assert "belongs at other/" in team.server.log
    team.restart_server()
    assert cluster.sync("copied")["copied", "app"].texts == {"A": "1"}


def test_a_key_that_was_lost_deletes_no_secret_and_one_that_was_removed_does(
    new_team: NewTeam, cluster: Cluster
) -> None:
    team = new_team({"A": "1", "B": "2"})
    team.record_removals()
    cluster.make_namespace("recorded")
    team.make_token("app", "recorded")
    one = {"name": "app", "keys": ["A"], "deletionPolicy": "Delete"}
    team.declare("app", "recorded", one, consistency="latest")
    team.deploy()
    assert cluster.sync("recorded")["recorded", "app"].texts == {"A": "1"}
    team.merge({"B": "2"})  # as a bad merge does it: no record
    team.roll_out()
    lost = cluster.sync("recorded")["recorded", "app"]
    assert (lost.reason, lost.texts) == ("SecretSyncedError", {"A": "1"})
    assert "409" in lost.problem
    team.merge({"A": "1", "B": "2"})
    team.unset("A")
    team.roll_out()
    gone = cluster.sync("recorded")["recorded", "app"]
    assert (gone.reason, gone.type) == ("SecretDeleted", None)
