"""With the real Argo CD and two API servers: an overlay is of its cluster, and of no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.api_server import ApiServer
from tests.e2e.argo_cd import ArgoCd
from tests.e2e.argo_team import SECONDS
from tests.e2e.cluster import Cluster
from tests.e2e.conftest import NewArgoTeam, Say
from tests.e2e.controller_manager import ControllerManager
from tests.e2e.programs import Programs
from tests.e2e.real_operator import Operator


@pytest.fixture(scope="module")
def west(programs: Programs, folder: Path, argo_cd: ArgoCd) -> Iterator[Cluster]:
    """A second cluster, with an operator of its own, which Argo CD knows as `west`."""
    place = folder / "west"
    place.mkdir()
    with ApiServer(programs, place) as api:
        api.install_crds([programs["crds"]])
        with ControllerManager(programs, api, place), Operator(programs, api, place) as operator:
            argo_cd.add_cluster("west", api)
            yield Cluster(api, operator)


def test_two_overlays_on_two_clusters_leave_each_other_alone(
    new_argo_team: NewArgoTeam, argo_cd: ArgoCd, west: Cluster, say: Say
) -> None:
    overlays = {"prod": {"environment": "prod"}, "west": {"environment": "prod", "cluster": "west"}}
    team = new_argo_team({"PASSWORD": "one", "OTHER": "one"}, overlays=overlays)
    here, there = team.cluster, west
    team.add_app("shop", "both-shop", "PASSWORD")
    for cluster in (here, there):
        cluster.make_namespace("both-shop")
    team.make_token("shop", "both-shop")
    team.copy_credentials("both-shop", there)
    started = team.push()
    team.apply_root()

    def both(value: str) -> bool:
        expected = {"PASSWORD": value.encode()}
        return all(cluster.secret("both-shop", "shop") == expected for cluster in (here, there))

    took = team.seconds_until(started, "both clusters have the value", lambda: both("one"), most=120)
    say(f"two clusters, from the root to both Secrets: {took:.1f} s")
    started = team.change(PASSWORD="two")
    took = team.seconds_until(started, "both have the next value", lambda: both("two"), most=SECONDS)
    say(f"two clusters: a changed value is in both after {took:.1f} s")
    names = {f"{team.project}.prod.both-shop", f"{team.project}.west.both-shop"}
    assert names <= argo_cd.states().keys()

    # what somebody deletes in one is healed there, and the other is not touched
    kept = here.object("both-shop", "externalsecret", "shop")["metadata"]["uid"]
    synced = argo_cd.applications()[f"{team.project}.prod.both-shop"]["status"]["operationState"]
    there.api.kubectl("delete", "externalsecret", "shop", "-n", "both-shop")
    team.seconds_until(team.now(), "it is healed", lambda: both("two"), most=30)
    assert here.object("both-shop", "externalsecret", "shop")["metadata"]["uid"] == kept
    after = argo_cd.applications()[f"{team.project}.prod.both-shop"]["status"]["operationState"]
    assert after["finishedAt"] == synced["finishedAt"]

    # an app that is of one overlay alone
    team.add_app("mailer", "both-mailer", "OTHER", overlays=["prod"])
    here.make_namespace("both-mailer")
    team.make_token("mailer", "both-mailer")
    team.seconds_until(
        team.push(), "the mailer is synced", lambda: team.has("both-mailer", "mailer", OTHER="one")
    )
    assert there.api.get("/api/v1/namespaces/both-mailer") is None
    assert f"{team.project}.west.both-mailer" not in argo_cd.states()


def test_a_new_cluster_gets_all_apps_and_no_file_of_an_app_is_edited(
    new_argo_team: NewArgoTeam, west: Cluster, say: Say
) -> None:
    """By `arcan overlay add --like`, with accounts: nothing is made by hand in the new cluster."""
    overlays = {"prod": {"environment": "prod", "clusterKeys": "eu"}}
    values = {"PASSWORD": "one", "OTHER": "one"}
    team = new_argo_team(values, clusters=True, credentials="account", overlays=overlays)
    team.arcan("cluster", "add", "eu")
    for name, key in (("shop", "PASSWORD"), ("mailer", "OTHER")):
        team.declare(name, f"like-{name}", {"name": name, "keys": [key]}, token=None)
    team.arcan("token", "sync")
    team.roll_out()
    team.push()
    team.apply_root()

    def synced(cluster: Cluster) -> bool:
        expected = {"like-shop": ("shop", {"PASSWORD": b"one"}), "like-mailer": ("mailer", {"OTHER": b"one"})}
        return all(cluster.secret(place, name) == data for place, (name, data) in expected.items())

    team.seconds_until(team.now(), "the first cluster is synced", lambda: synced(team.cluster), most=300)
    apps = {file.name: file.read_bytes() for file in (team.folder / "kustomize" / "apps").iterdir()}
    keys = team.folder / "west.keys.txt"
    keys.write_text(west.api.kubectl("get", "--raw", "/openid/v1/jwks"))
    issuer = "https://kubernetes.default.svc"
    team.arcan("cluster", "add", "west", "--file", str(keys), "--issuer", issuer)
    team.arcan("overlay", "add", "west", "--like", "prod", "--cluster", "west")
    team.arcan("token", "sync")
    team.roll_out()
    started = team.push()
    took = team.seconds_until(started, "the new cluster is synced", lambda: synced(west), most=300)
    assert {file.name: file.read_bytes() for file in (team.folder / "kustomize" / "apps").iterdir()} == apps
    say(f"a new cluster, by 'overlay add --like': every Secret is there {took:.1f} s after the webhook")
