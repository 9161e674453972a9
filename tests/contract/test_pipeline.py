"""The story of the product: a realm file, the real server, the generated manifests, ESO, a Kubernetes Secret."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from arcan_gitops.eso import Cluster, Fate, NetTransport, Outcome, read_cluster, refresh, validate_stores
from arcan_gitops.server import tls
from arcan_gitops.yamlio import emit, read_documents
from tests.support.live_server import ARCAN, LiveServer, create_token, unknown_token
from tests.support.realm_files import RealmFiles

SHOP = """\
DATABASE_URL: postgres://shop:p%40ss@db/shop?x=1&y=2
PORT: 5432
RATIO: 0.30000000000000004
BIG: 12345678901234568000000
FLAG: true
SINCE: 2024-01-02T03:04:05.123456789+02:00
tls.crt: |
  -----BEGIN CERTIFICATE-----
  MIIB<>&
  -----END CERTIFICATE-----
GREETING: "grüß \\"dich\\" 'x' \\\\ ☂\\ttab"
LIMITS: {b: [1, 2.5, "<x>"], a: {c: false}}
"""
EXPECTED = {
    "DATABASE_URL": "postgres://shop:p%40ss@db/shop?x=1&y=2",
    "PORT": "5432",
    "RATIO": "0.30000000000000004",
    "BIG": "12345678901234568000000",
    "FLAG": "true",
    "SINCE": "2024-01-02T03:04:05.123456789+02:00",
    "tls.crt": "-----BEGIN CERTIFICATE-----\nMIIB<>&\n-----END CERTIFICATE-----\n",
    "GREETING": "grüß \"dich\" 'x' \\ ☂\ttab",
    "LIMITS": '{"b":[1,2.5,"<x>"],"a":{"c":false}}',
}


class World:
    def __init__(self, folder: Path) -> None:
        self.files = RealmFiles(folder)
        self.files.write("production", "prod", SHOP)
        self.token = create_token(self.files, "production", "eso-operator")
        self.server = LiveServer(
            self.files, folder / "server", "--tls-host", "arcan.internal", "--tls-host", "localhost"
        )

    def cluster(self, *options: str, token: str | None = None, policy: str = "Retain") -> Cluster:
        """The manifests of `arcan generate eso` with the two things that Git does not hold."""
        command = [
            *ARCAN,
            "generate",
            "eso",
            "--realm=production",
            "--env=prod",
            "--realms",
            str(self.files.root),
        ]
        printed = subprocess.run([*command, *options], capture_output=True, check=True).stdout
        printed = printed.replace(b"deletionPolicy: Retain", f"deletionPolicy: {policy}".encode())
        namespace = "external-secrets" if "--cluster-wide" in options else "default"
        by_hand = emit(
            [
                {"apiVersion": "v1", "kind": "Secret", "stringData": {"token": f"{token or self.token}\n"},
                 "metadata": {"name": "arcan-credentials", "namespace": namespace,
                              "labels": {"external-secrets.io/type": "webhook"}}},
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "arcan-ca", "namespace": namespace},
                 "data": {"ca.crt": self.server.ca.read_text()}},
            ]
        )  # fmt: skip
        documents = read_documents(printed + by_hand.encode(), "generated")
        cluster = read_cluster([("generated", document) for document in documents])
        return validate_stores(cluster, self.transport)

    @property
    def transport(self) -> NetTransport:
        return NetTransport(connect_to=("127.0.0.1", self.server.port))

    def refresh(self, cluster: Cluster) -> tuple[list[Outcome], Cluster]:
        outcomes = []
        for external_secret in cluster.external_secrets:
            outcome = refresh(external_secret, cluster, self.transport)
            cluster = outcome.applied_to(cluster)
            outcomes.append(outcome)
        return outcomes, cluster


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    with world.server:
        yield world


def data(outcome: Outcome) -> dict[str, str]:
    assert outcome.secret is not None
    return {key: value.decode() for key, value in outcome.secret.data.items()}


@pytest.mark.parametrize("options", [(), ("--cluster-wide", "--allow-namespace", "default")])
def test_every_value_of_the_realm_file_arrives_byte_for_byte(world: World, options: tuple[str, ...]) -> None:
    (single, bulk), _ = world.refresh(world.cluster(*options))
    for outcome in (single, bulk):
        assert outcome.condition.reason == "SecretSynced", outcome.events
        assert data(outcome) == EXPECTED


def test_a_change_in_git_arrives_with_the_next_refresh(world: World) -> None:
    outcomes, cluster = world.refresh(world.cluster("--key", "PORT"))
    assert data(outcomes[0]) == {"PORT": "5432"}
    world.files.write("production", "prod", SHOP.replace("5432", "6543"))
    world.server.reload()
    outcomes, cluster = world.refresh(cluster)
    assert data(outcomes[0]) == {"PORT": "6543"}
    assert outcomes[0].fate is Fate.UPDATED


def test_another_ca_takes_over_without_a_failed_read(world: World, tmp_path: Path) -> None:
    """The procedure of docs/certificates.md: ESO trusts both before the server changes, the old one goes last."""
    folder = world.server.ca.parent
    new = tmp_path / "new-ca"
    tls.own(new, ("arcan.internal", "localhost"))
    old_ca, new_ca = world.server.ca.read_text(), (new / "ca.crt").read_text()
    cluster = world.cluster("--key", "PORT")

    def trusting(bundle: str) -> Cluster:
        (held,) = cluster.config_maps
        return replace(cluster, config_maps=(replace(held, data={"ca.crt": bundle}),))

    def synced(bundle: str) -> bool:
        outcomes, _ = world.refresh(trusting(bundle))
        return all(outcome.condition.reason == "SecretSynced" for outcome in outcomes)

    assert synced(old_ca)
    assert synced(old_ca + new_ca)
    for name in ("ca.crt", "ca.key", "server.key", "server.crt"):
        (folder / name).write_bytes((new / name).read_bytes())
        assert synced(old_ca + new_ca)
    end = time.monotonic() + 30
    while not synced(new_ca):
        assert synced(old_ca + new_ca)
        assert time.monotonic() < end
    # a worker of before takes some connections until it has ended
    while synced(old_ca) or not synced(new_ca):
        assert synced(old_ca + new_ca)
        assert time.monotonic() < end


def test_a_key_that_truly_went_away_is_deleted_where_that_was_asked_for(world: World) -> None:
    _, cluster = world.refresh(world.cluster("--key", "PORT", policy="Delete"))
    world.files.write("production", "prod", SHOP.replace("PORT: 5432\n", ""))
    world.server.reload()
    (single, bulk), _ = world.refresh(cluster)
    assert single.fate is Fate.DELETED
    assert "PORT" not in data(bulk)


def test_no_fault_of_the_server_or_of_a_token_ever_deletes_a_secret(world: World) -> None:
    """With deletionPolicy Delete, the most dangerous one."""
    _, cluster = world.refresh(world.cluster(policy="Delete"))
    narrow = create_token(world.files, "production", "narrow", "--key", "NOTHING")
    elsewhere = create_token(world.files, "production", "elsewhere", "--env", "staging")
    world.server.reload()
    synced = [secret for secret in cluster.secrets if secret.name.startswith("my-app")]
    for token in (unknown_token(), narrow, elsewhere):
        faulty = world.cluster(policy="Delete", token=token)
        outcomes, _ = world.refresh(replace(faulty, secrets=(*faulty.secrets, *synced)))
        assert [outcome.fate for outcome in outcomes] == [Fate.KEPT, Fate.KEPT]
        assert [outcome.condition.reason for outcome in outcomes] == ["SecretSyncedError"] * 2
    world.files.tamper(world.files.path("production", "prod"), "PORT")
    world.server.reload()
    outcomes, _ = world.refresh(cluster)
    assert [data(outcome) for outcome in outcomes] == [EXPECTED, EXPECTED]  # the last good state
    done = subprocess.run(
        [*ARCAN, "token", "revoke", "eso-operator", "--realms", str(world.files.root)], check=False
    )
    assert done.returncode == 0
    world.server.reload()
    outcomes, _ = world.refresh(cluster)
    assert [outcome.fate for outcome in outcomes] == [Fate.KEPT, Fate.KEPT]
    world.server.process.kill()
    world.server.process.wait()
    outcomes, _ = world.refresh(cluster)
    assert [outcome.fate for outcome in outcomes] == [Fate.KEPT, Fate.KEPT]


def test_a_typo_in_the_stores_url_is_an_error_and_never_a_deletion(world: World) -> None:
    _, cluster = world.refresh(world.cluster("--key", "PORT", policy="Delete"))
    for realm, environment in (("prodction", "prod"), ("production", "prd")):
        command = [*ARCAN, "generate", "eso", f"--realm={realm}", f"--env={environment}", "--key", "PORT"]
        printed = subprocess.run(
            [*command, "--realms", str(world.files.root)], capture_output=True, check=True
        ).stdout
        documents = read_documents(printed.replace(b": Retain", b": Delete"), "typo")
        wrong = read_cluster([("typo", document) for document in documents])
        outcomes, _ = world.refresh(replace(wrong, secrets=cluster.secrets, config_maps=cluster.config_maps))
        assert [outcome.condition.reason for outcome in outcomes] == ["SecretSyncedError"] * 2
        assert [outcome.fate for outcome in outcomes] == [Fate.KEPT] * 2


def test_a_secret_without_the_label_says_what_eso_says(world: World) -> None:
    cluster = world.cluster("--key", "PORT")
    unlabelled = [
        replace(secret, labels={}) for secret in cluster.secrets if secret.name == "arcan-credentials"
    ]
    outcomes, _ = world.refresh(cluster.with_secret(unlabelled[0]))
    assert "external-secrets.io/type: webhook" in " ".join(event.message for event in outcomes[0].events)
