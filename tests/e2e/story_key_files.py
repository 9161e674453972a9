"""An environment with a file for each key: values that nobody need read, and files that fail alone."""

from __future__ import annotations

from tests.e2e.cluster import Cluster
from tests.e2e.conftest import NewTeam


def test_a_value_that_was_set_without_an_identity_arrives_in_a_secret(
    new_team: NewTeam, cluster: Cluster
) -> None:
    team = new_team({"A": "1", "B": "2"})
    cluster.make_namespace("proposed")
    team.make_token("app", "proposed")
    team.declare("app", "proposed", {"name": "app", "keys": ["A", "B"]})
    team.deploy()
    assert cluster.sync("proposed")["proposed", "app"].texts == {"A": "1", "B": "2"}
    team.split()
    team.deploy()  # no version changes, and no Secret either
    assert cluster.sync("proposed")["proposed", "app"].texts == {"A": "1", "B": "2"}
    team.set_without_identity("B", "proposed")
    team.set_without_identity("C", "new")
    team.declare("app", "proposed", {"name": "app", "keys": ["A", "B", "C"]})
    team.roll_out()
    team.deploy()
    cluster.wait_for_secret("proposed", "app", {"A": "1", "B": "proposed", "C": "new"}, seconds=30)


def test_one_bad_file_leaves_every_other_keys_secret_in_place_and_fresh(
    new_team: NewTeam, cluster: Cluster
) -> None:
    team = new_team({"A": "1", "B": "2"})
    cluster.make_namespace("spoiled")
    team.make_token("app", "spoiled")
    team.declare("app", "spoiled", {"name": "bad", "keys": ["A"]}, {"name": "good", "keys": ["B"]})
    team.split()
    team.deploy()
    seen = cluster.sync("spoiled")
    assert {name: one.texts for (_, name), one in seen.items()} == {"bad": {"A": "1"}, "good": {"B": "2"}}
    team.set_without_identity("B", "fresh")
    team.deploy()
    team.spoil("A")
    team.roll_out()
    cluster.wait_for_secret("spoiled", "good", {"B": "fresh"}, seconds=30)
    assert cluster.sync("spoiled")["spoiled", "bad"].texts == {"A": "1"}
