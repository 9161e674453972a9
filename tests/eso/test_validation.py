"""A store's Ready condition; measured with ESO's provider."""

from __future__ import annotations

import pytest

from arcan_gitops.eso import (
    Cluster,
    NetTransport,
    NotSupported,
    read_cluster,
    validate_store,
    validate_stores,
)
from tests.eso.endpoint import free_port
from tests.eso.samples import Scene, cluster_of, store


def test_a_store_is_ready_when_its_port_answers_a_bare_connect(scene: Scene) -> None:
    status = scene.status(
        scene.single(url=f"https://127.0.0.1:{scene.endpoint.port}/{{{{ .remoteRef.key }}}}")
    )
    assert (status.ready, status.reason, status.message) == (True, "Valid", "store validated")
    assert scene.endpoint.connections == 0  # no handshake came through, let alone a request


def test_a_store_is_ready_with_a_bad_token_or_none(scene: Scene) -> None:
    # the credential Secret is not read: nothing holds it here
    assert scene.status(scene.single(url=f"https://127.0.0.1:{scene.endpoint.port}/")).ready


def test_a_store_whose_port_is_closed_is_not_ready() -> None:
    port = free_port()
    manifest = store(url=f"https://127.0.0.1:{port}/")
    cluster = cluster_of(manifest)
    status = validate_store(cluster.stores[0], cluster, NetTransport())
    assert (status.ready, status.reason) == (False, "InvalidProviderConfig")
    assert status.message == "unable to validate store"
    assert status.event == (
        f"error accessing external store: dial tcp 127.0.0.1:{port}: connect: connection refused"
    )


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (
            'https://127.0.0.1:9797/{{ printf "%s" .x }}',
            r'could not parse url: parse "https://127.0.0.1:9797/{{ printf \"%s\" .x }}": '
            r'invalid URL escape "%s\""',
        ),
        (
            "https://{{ .remoteRef.key }}:9797/",
            'could not parse url: parse "https://{{ .remoteRef.key }}:9797/": '
            'invalid character "{" in host name',
        ),
        (
            "https://no-such-host.invalid:9797/",
            "error accessing external store: dial tcp: lookup no-such-host.invalid: no such host",
        ),
        (
            "https://[::1]:9797/",
            "error accessing external store: dial tcp: address ::1:9797: too many colons in address",
        ),
    ],
)
def test_a_url_that_cannot_be_dialled_untemplated_makes_the_store_unready(
    scene: Scene, url: str, problem: str
) -> None:
    assert scene.status(scene.single(url=url)).event == problem


def test_the_percent_of_the_space_fix_is_no_problem(scene: Scene) -> None:
    url = f'https://127.0.0.1:{scene.endpoint.port}/{{{{ .remoteRef.key | replace "+" "%20" }}}}'
    assert scene.status(scene.single(url=url)).ready


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_without_a_port_443_is_dialled(scheme: str) -> None:
    dialled: list[tuple[str, int]] = []

    class Recording(NetTransport):
        def dial(self, host: str, port: int, timeout: float) -> None:
            dialled.append((host, port))

    cluster = cluster_of(store(url=f"{scheme}://arcan.internal/x"))
    assert validate_store(cluster.stores[0], cluster, Recording()).ready
    assert dialled == [("arcan.internal", 443)]


def test_a_ca_that_cannot_be_read_makes_the_store_unready(scene: Scene) -> None:
    provider = {"type": "ConfigMap", "name": "arcan-ca", "key": "ca.crt"}
    status = scene.status(scene.single(caBundle=None, caProvider=provider))
    assert (status.ready, status.message) == (False, "unable to create client")
    assert 'configmaps "arcan-ca" not found' in status.event


def test_all_stores_are_validated_and_others_left_alone(scene: Scene) -> None:
    other = scene.single(name="other")
    other["spec"]["provider"] = {"fake": {}}
    cluster = validate_stores(cluster_of(scene.single(), other), scene.transport)
    assert [identity.name for identity in cluster.statuses] == ["arcan"]
    with pytest.raises(NotSupported):
        validate_store(cluster.stores[1], cluster, scene.transport)


@pytest.mark.parametrize("provider", ["vault", "aws", "infisical"])
def test_a_store_of_another_provider_is_said_to_be_out_of_reach(provider: str) -> None:
    other = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "SecretStore",
        "metadata": {"name": "mine", "namespace": "shop"},
        "spec": {"provider": {provider: {}}},
    }
    (store,) = read_cluster([("file", other)]).stores
    with pytest.raises(
        NotSupported, match=f"not supported by the emulator: the provider {provider} of SecretStore"
    ):
        validate_store(store, Cluster(), NetTransport())
