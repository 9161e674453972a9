"""A certificate that is renewed while the server runs, and another CA: the operator reads on."""

from __future__ import annotations

from pathlib import Path

from arcan_gitops.certificates import Issued, new_ca
from tests.e2e.cluster import Cluster
from tests.e2e.conftest import NewTeam
from tests.e2e.process import wait_until
from tests.support.certificates import issue, pem_of, put, serial, served

NAMESPACE = "renewed"


def test_a_renewed_certificate_and_another_ca_fail_no_read(
    new_team: NewTeam, cluster: Cluster, tmp_path: Path
) -> None:
    old, new = new_ca(), new_ca()
    team = new_team({"A": "0"})
    put(tmp_path, issue(old, 200, "127.0.0.1"))
    team.serve_certificate_of(tmp_path, pem_of(old))
    cluster.make_namespace(NAMESPACE)
    team.make_token("app", NAMESPACE)
    team.declare("app", NAMESPACE, {"name": "app", "keys": ["A"]}, consistency="latest")
    team.deploy()
    assert cluster.sync(NAMESPACE)[NAMESPACE, "app"].texts == {"A": "0"}
    steps: tuple[tuple[Issued, tuple[Issued, ...]], ...] = (
        (old, (old,)),  # renewed
        (old, (old, new)),  # then the procedure of docs/certificates.md
        (new, (old, new)),
        (new, (new,)),
    )
    for number, (issuer, trusted) in enumerate(steps, start=1):
        metadata = {"name": "arcan-ca", "namespace": NAMESPACE}
        data = {"ca.crt": pem_of(*trusted).decode()}
        cluster.api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
        pair = issue(issuer, 200 + number, "127.0.0.1")
        put(tmp_path, pair)
        wait_until(
            "the new certificate is served", lambda pair=pair: served(team.port) == {serial(pair[0])}, 60
        )
        team.server.ca.write_bytes(pem_of(*trusted))
        team.merge({"A": str(number)})
        team.roll_out()
        seen = cluster.sync(NAMESPACE)[NAMESPACE, "app"]
        assert (seen.reason, seen.texts) == ("SecretSynced", {"A": str(number)}), f"step {number}"
