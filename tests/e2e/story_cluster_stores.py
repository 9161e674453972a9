"""Stores for the whole cluster serve just those whom they name."""

from __future__ import annotations

from tests.e2e.cluster import Cluster
from tests.e2e.conftest import NewTeam


def test_a_cluster_wide_store_honours_its_conditions(new_team: NewTeam, cluster: Cluster) -> None:
    team = new_team(
        {"A": "1"},
        stores={"scope": "cluster", "name": "wide", "bulkName": "wide-bulk", "esoNamespace": "wide-eso"},
    )
    for namespace in ("wide-eso", "inside", "outside"):
        cluster.make_namespace(namespace)
    team.make_token("inside", "wide-eso")
    team.declare("inside", "inside", {"name": "app", "keys": ["A"]}, {"name": "all", "all": True})
    team.deploy()
    seen = cluster.sync("inside")
    assert [one.texts for one in seen.values()] == [{"A": "1"}] * 2
    for name in ("app", "all"):
        copy = cluster.object("inside", "externalsecret", name)
        cluster.api.apply(
            {
                "apiVersion": copy["apiVersion"],
                "kind": copy["kind"],
                "metadata": {"name": name, "namespace": "outside"},
                "spec": copy["spec"],
            }
        )
    for one in cluster.sync("outside").values():
        assert one.type is None
        assert 'is not allowed from namespace "outside": denied by spec.condition' in one.problem
