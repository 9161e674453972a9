"""A change is never read stale: two real servers, one with the old realm files and one with the new.

That is what a cluster has in the middle of a rollout, with a lagging replica, or with an old pod that hangs.
"""

from __future__ import annotations

import copy
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

import pytest

from arcan_gitops.eso import Cluster, Fate, NetTransport, Outcome, read_cluster, refresh
from arcan_gitops.eso.transport import Client, Request, Response, Transport
from arcan_gitops.yamlio import emit, read_documents
from tests.support.live_server import ARCAN, LiveServer, create_token
from tests.support.realm_files import RealmFiles

OLD = "USER: old-user\nPASSWORD: old-password\nOTHER: same\n"
NEW = {"USER": "new-user", "PASSWORD": "new-password", "ADDED": "added"}
APP = """\
name: shop
realm: production
namespace: shop
token: shop
secrets:
  - {name: login, keys: [USER, PASSWORD], deletionPolicy: Delete}
  - {name: everything, all: true, deletionPolicy: Delete}
  - {name: other, keys: [OTHER]}
"""
WITH_ADDED = APP + "  - {name: added, keys: [ADDED], deletionPolicy: Delete}\n"


class InTurn:
    """A load balancer: each request of a client goes to the next server."""

    def __init__(self, *servers: LiveServer) -> None:
        self._transports = [NetTransport(connect_to=("127.0.0.1", server.port)) for server in servers]

    def client(self, ca_certificates: str | None, timeout: float | None) -> Client:
        return _InTurn([transport.client(ca_certificates, timeout) for transport in self._transports])

    def dial(self, host: str, port: int, timeout: float) -> None:
        self._transports[0].dial(host, port, timeout)


class _InTurn:
    def __init__(self, clients: list[Client]) -> None:
        self._clients = clients
        self._next = cycle(clients)

    def send(self, request: Request) -> Response:
        return next(self._next).send(request)

    def close(self) -> None:
        for client in self._clients:
            client.close()


@dataclass
class World:
    """The project before and after one merge, and a server for each state of it."""

    folder: Path
    files: RealmFiles  # after
    before: RealmFiles
    token: str
    old: LiveServer
    new: LiveServer

    def manifests(self, files: RealmFiles, app: str = APP, arcan_yaml: str = "") -> Cluster:
        """What Argo CD applies of the overlay that is generated from these realm files."""
        project = self.folder / "kustomize"
        shutil.rmtree(project, ignore_errors=True)
        (project / "apps").mkdir(parents=True)
        (project / "apps" / "shop.yaml").write_text(app)
        (project / "arcan.yaml").write_text(f"{arcan_yaml}\noverlays: {{prod: {{environment: prod}}}}\n")
        command = [
            *ARCAN,
            "generate",
            "overlays",
            "--realms",
            str(files.root),
            "--kustomize-dir",
            str(project),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        by_hand = emit(
            [
                {"apiVersion": "v1", "kind": "Secret", "stringData": {"token": self.token},
                 "metadata": {"name": "arcan-credentials", "namespace": "shop",
                              "labels": {"external-secrets.io/type": "webhook"}}},
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "arcan-ca", "namespace": "shop"},
                 "data": {"ca.crt": self.old.ca.read_text()}},
            ]
        )  # fmt: skip
        texts = [
            file.read_text()
            for file in project.glob("overlays/prod/**/*.yaml")
            if file.name != "kustomization.yaml"
        ]
        documents = [
            document for text in (*texts, by_hand) for document in read_documents(text.encode(), "x")
        ]
        return read_cluster(("overlay", document) for document in documents)

    def refresh(self, cluster: Cluster, *servers: LiveServer) -> tuple[dict[str, Outcome], Cluster]:
        """One refresh of each ExternalSecret; a further server takes every other request."""
        transport: Transport = InTurn(*servers)
        outcomes = {}
        for external in cluster.external_secrets:
            outcomes[external.name] = outcome = refresh(external, cluster, transport)
            cluster = outcome.applied_to(cluster)
        return outcomes, cluster

    def merged(self, cluster: Cluster, app: str = APP) -> Cluster:
        """The cluster after Argo CD has applied the overlay of the new files."""
        return replace(cluster, external_secrets=self.manifests(self.files, app).external_secrets)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("rollout")
    files = RealmFiles(folder)
    document = files.write("production", "prod", OLD)
    token = create_token(files, "production", "shop")
    before = copy.copy(files)
    before.root = folder / "before"
    shutil.copytree(files.root, before.root)
    for key, value in NEW.items():  # as a person does it, so that OTHER keeps its ciphertext
        command = ["sops", "set", "--value-stdin", str(document), f'["{key}"]']
        environment = {"PATH": "/usr/bin:/bin", "SOPS_AGE_KEY": files.identity}
        sops = shutil.which("sops")
        assert sops is not None
        done = subprocess.run(
            [sops, *command[1:]],
            input=f'"{value}"',
            text=True,
            env=environment,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    hosts = ("--tls-host", "arcan.internal", "--tls-host", "localhost")
    with LiveServer(before, folder / "old", *hosts) as old:
        # one CA, as replicas have
        shutil.copytree(folder / "old" / "data" / "tls", folder / "new" / "data" / "tls")
        with LiveServer(files, folder / "new", *hosts) as new:
            yield World(folder, files, before, token, old, new)


@pytest.fixture
def synced(world: World) -> Cluster:
    """The cluster before the merge: everything is as the old files say."""
    outcomes, cluster = world.refresh(world.manifests(world.before), world.old)
    assert values(outcomes["login"]) == {"USER": "old-user", "PASSWORD": "old-password"}
    return cluster


def values(outcome: Outcome) -> Mapping[str, str]:
    assert outcome.secret is not None
    return {key: value.decode() for key, value in outcome.secret.data.items()}


def why(outcome: Outcome) -> str:
    return " ".join(event.message for event in outcome.events)


def test_a_new_manifest_is_not_answered_by_an_old_pod_and_is_by_a_new_one(world: World, synced: Cluster):
    cluster = world.merged(synced)
    outcomes, cluster = world.refresh(cluster, world.old)
    for name in ("login", "everything"):
        assert outcomes[name].fate is Fate.KEPT
        assert "503" in why(outcomes[name])
    assert values(outcomes["login"]) == {"USER": "old-user", "PASSWORD": "old-password"}
    outcomes, cluster = world.refresh(cluster, world.new)
    assert values(outcomes["login"]) == {"USER": "new-user", "PASSWORD": "new-password"}
    assert values(outcomes["everything"])["ADDED"] == "added"


def test_an_old_manifest_is_not_answered_by_a_new_pod_and_the_secret_stays(world: World, synced: Cluster):
    outcomes, _ = world.refresh(synced, world.new)
    assert outcomes["login"].fate is Fate.KEPT
    assert values(outcomes["login"]) == {"USER": "old-user", "PASSWORD": "old-password"}


@pytest.mark.parametrize("unified", ["", "stores: {unified: true}"])
def test_a_new_user_is_never_paired_with_an_old_password(world: World, unified: str):
    _, cluster = world.refresh(world.manifests(world.before, APP, unified), world.old)
    after = world.manifests(world.files, APP, unified)
    for servers in ((world.old, world.new), (world.new, world.old)):
        outcomes, _ = world.refresh(replace(cluster, external_secrets=after.external_secrets), *servers)
        assert outcomes["login"].fate is Fate.KEPT
        assert values(outcomes["login"]) == {"USER": "old-user", "PASSWORD": "old-password"}


def test_without_versions_they_would_be_paired(world: World, synced: Cluster):
    """The race is real: this is what `consistency: latest` accepts."""
    latest = world.manifests(world.files, "consistency: latest\n" + APP)
    outcomes, _ = world.refresh(
        replace(synced, external_secrets=latest.external_secrets), world.new, world.old
    )
    assert values(outcomes["login"]) == {"USER": "new-user", "PASSWORD": "old-password"}


def test_a_key_that_an_old_pod_does_not_have_yet_is_no_reason_to_delete(world: World, synced: Cluster):
    _, cluster = world.refresh(world.merged(synced, WITH_ADDED), world.new)
    outcomes, cluster = world.refresh(cluster, world.old)
    assert outcomes["added"].fate is Fate.KEPT
    assert values(outcomes["added"]) == {"ADDED": "added"}


def test_a_key_that_did_not_change_is_answered_by_either(world: World, synced: Cluster):
    cluster = world.merged(synced)
    entry = [external for external in cluster.external_secrets if external.name == "other"]
    assert entry == [external for external in synced.external_secrets if external.name == "other"]
    for server in (world.old, world.new):
        outcomes, _ = world.refresh(cluster, server)
        assert values(outcomes["other"]) == {"OTHER": "same"}
