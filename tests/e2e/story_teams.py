"""Apps in many namespaces, and what their teams may do there."""

from __future__ import annotations

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.conftest import NewTeam
from tests.e2e.platform_team import PlatformTeam

LABELS = {"matchLabels": {"many": "wanted"}}

# what somebody of the team asks for -> whether it is granted
PERMISSIONS = {
    "create externalsecrets.external-secrets.io": True,
    "delete externalsecrets.external-secrets.io": True,
    "get externalsecrets.external-secrets.io": True,
    "create secretstores.external-secrets.io": False,
    "create clustersecretstores.external-secrets.io": False,
    "create pushsecrets.external-secrets.io": False,
    "get secrets": False,
    "list secrets": False,
    "create pods": False,
}


@pytest.fixture
def many(new_team: NewTeam, cluster: Cluster) -> PlatformTeam:
    """A team with stores for namespaces with a label: many-a and many-b, and not yet many-c."""
    stores = {"scope": "cluster", "name": "many", "bulkName": "many-bulk", "esoNamespace": "many-eso"}
    team = new_team({"A": "1"}, stores=stores)
    for name in ("many-a", "many-b"):
        cluster.make_namespace(name, many="wanted")
    for name in ("many-c", "many-eso"):
        cluster.make_namespace(name, many="unwanted")
    team.make_token("many", "many-eso")
    return team


def test_one_declaration_reaches_every_namespace_with_the_label(many: PlatformTeam, cluster: Cluster) -> None:
    many.declare("many", None, {"name": "shared", "keys": ["A"]}, namespaces=LABELS)
    many.deploy()
    for name in ("many-a", "many-b"):
        cluster.wait_for_secret(name, "shared", {"A": "1"})
    cluster.make_namespace("many-c", many="wanted")
    cluster.wait_for_secret("many-c", "shared", {"A": "1"})
    many.merge({"A": "2"})
    many.roll_out()
    many.deploy()
    for name in ("many-a", "many-b", "many-c"):
        cluster.wait_for_secret(name, "shared", {"A": "2"}, seconds=10)
    assert cluster.secret("many-eso", "shared") is None
    seen = cluster.look("many-a", "many-b", "many-c")
    assert [one.texts for one in seen.values()] == [{"A": "2"}] * 3
    cluster.api.delete(many.overlay)


def test_nobody_has_to_wait_for_the_interval_in_any_of_them(many: PlatformTeam, cluster: Cluster) -> None:
    """What a ClusterExternalSecret has made is refreshed at once by way of that."""
    many.declare("many", None, {"name": "waiting", "keys": ["A"]}, namespaces=LABELS, consistency="latest")
    many.deploy()
    for number in ("1", "2", "3"):
        if number != "1":
            many.merge({"A": number})
            many.roll_out()
            many.arcan("sync", "many", "--overlay=prod", "--run")
        for name in ("many-a", "many-b"):
            cluster.wait_for_secret(name, "waiting", {"A": number}, seconds=10)
    cluster.api.delete(many.overlay)


def test_a_team_may_make_external_secrets_and_nothing_else(new_team: NewTeam, cluster: Cluster) -> None:
    team = new_team({"A": "1"})
    cluster.make_namespace("roles")
    team.make_token("roles", "roles")
    team.declare("roles", "roles", {"name": "app", "keys": ["A"]}, team={"groups": ["roles-developers"]})
    team.deploy()
    for group, granted in (("roles-developers", True), ("others", False)):
        answers = {}
        for asked in PERMISSIONS:
            who = ["--as=anna", f"--as-group={group}", "--as-group=system:authenticated"]
            done = cluster.api.try_kubectl("auth", "can-i", *asked.split(), "-n", "roles", *who)
            answers[asked] = done.stdout.strip() == "yes"
        assert answers == {asked: granted and allowed for asked, allowed in PERMISSIONS.items()}
