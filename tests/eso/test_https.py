"""Connections, redirects, timeouts and trust, over real sockets."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest

from arcan_gitops.eso import NetTransport
from tests.eso.endpoint import HOST, Answer, Asked, Authority, free_port, make_authority, serving
from tests.eso.samples import Scene, credentials, entry, external_secret, extract

PLACE = f"https://{HOST}:9797/api/v1/eso/production/K?env=prod"


def test_a_refresh_has_one_connection_for_all_its_entries(scene: Scene) -> None:
    entries = [entry(key, secret_key=f"K{index}") for index, key in enumerate(("A", "B", "B", "C"))]
    scene.refresh(external_secret(*entries))
    assert [asked.connection for asked in scene.endpoint.asked] == [1, 1, 1, 1]
    scene.refresh(external_secret(*entries))
    assert scene.endpoint.connections == 2


def test_another_store_evicts_the_connection_of_the_last(scene: Scene) -> None:
    def answer(asked: Asked) -> Answer:
        return Answer(200, b'{"data":{"A":"1"}}' if "/K?" not in asked.target else b'{"value":"s"}')

    scene.endpoint.says(answer)
    scene.refresh(external_secret(entry(), data_from=(extract(), extract())))
    assert [asked.connection for asked in scene.endpoint.asked] == [1, 1, 2]


def test_a_connection_that_the_server_closed_is_opened_again(scene: Scene) -> None:
    scene.endpoint.says(Answer(200, b'{"value":"s"}', headers={"Connection": "close"}))
    outcome = scene.refresh(external_secret(entry("A", secret_key="A"), entry()))
    assert outcome.synced
    assert [asked.connection for asked in scene.endpoint.asked] == [1, 2]


def test_an_idle_connection_that_was_cut_is_replaced_once(scene: Scene) -> None:
    def answer(asked: Asked) -> Answer:
        first = "/A?" in asked.target
        return Answer(200, b'{"value":"s"}', hang_up=first)

    scene.endpoint.says(answer)
    assert scene.refresh(external_secret(entry("A", secret_key="A"), entry())).synced
    assert [asked.connection for asked in scene.endpoint.asked] == [1, 2]


def test_a_redirect_is_followed_with_the_token_on_the_same_host_only(scene: Scene) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.target.startswith("/api"):
            return Answer(302, headers={"Location": "/next?x=1"})
        if asked.target.startswith("/next"):
            return Answer(307, headers={"Location": f"https://localhost:{scene.endpoint.port}/last"})
        return Answer(200, b'{"value":"r"}')

    scene.endpoint.says(answer)
    assert scene.value() == "r"
    seen = [(asked.target, "Authorization" in asked.headers) for asked in scene.endpoint.asked]
    assert seen == [("/api/v1/eso/production/K?env=prod", True), ("/next?x=1", True), ("/last", False)]


def test_a_redirected_post_becomes_a_get_or_stays_a_post(scene: Scene) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.target.startswith("/api"):
            return Answer(307, headers={"Location": "/same"})
        return Answer(302, headers={"Location": "/get"}) if asked.target == "/same" else Answer(200, b"ok")

    scene.endpoint.says(answer)
    scene.refresh(scene.single(method="POST", body="b", result=None))
    assert [(a.method, a.target[:5], a.body) for a in scene.endpoint.asked] == [
        ("POST", "/api/", b"b"),
        ("POST", "/same", b"b"),
        ("GET", "/get", b""),
    ]


def test_ten_redirects_are_enough(scene: Scene) -> None:
    scene.endpoint.says(Answer(302, headers={"Location": "/api"}))
    assert scene.error().endswith("stopped after 10 redirects")
    assert len(scene.endpoint.asked) == 10


def test_a_slow_server_runs_into_the_store_s_timeout(scene: Scene) -> None:
    def answer(_: Asked) -> Answer:
        time.sleep(0.5)
        return Answer(200, b'{"value":"s"}')

    scene.endpoint.says(answer)
    assert scene.error(scene.single(timeout="100ms")) == (
        f'failed to call endpoint: Get "{PLACE}": '
        "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    )


def test_without_a_timeout_the_emulator_gives_up_where_eso_would_not(scene: Scene) -> None:
    scene.transport = NetTransport(connect_to=scene.endpoint.address, patience=0.1)

    def answer(_: Asked) -> Answer:
        time.sleep(0.5)
        return Answer(200, b'{"value":"s"}')

    scene.endpoint.says(answer)
    outcome = scene.refresh(scene.single(timeout=None))
    assert outcome.error.endswith(
        "no answer within 0.1s (the store sets no timeout: ESO would wait for ever)"
    )
    assert any("sets no timeout" in note for note in outcome.notes)


def test_an_answer_that_breaks_off_is_an_unexpected_eof(scene: Scene) -> None:
    scene.endpoint.says(Answer(200, b'{"value":"s"}', cut_short=True))
    assert scene.error() == "unexpected EOF"


def test_a_port_where_nobody_listens_is_refused(scene: Scene) -> None:
    port = free_port()
    scene.transport = NetTransport()
    problem = scene.error(scene.single(url=f"https://127.0.0.1:{port}/x"))
    assert problem == (
        f'failed to call endpoint: Get "https://127.0.0.1:{port}/x": '
        f"dial tcp 127.0.0.1:{port}: connect: connection refused"
    )


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https:///x", "http: no Host in request URL"),
        ("arcan/x", 'unsupported protocol scheme ""'),
        ("ftp://h/x", 'unsupported protocol scheme "ftp"'),
        ("https://127.0.0.1:99999/x", "dial tcp: address 99999: invalid port"),
        ("https://no-such-host.invalid/x", "dial tcp: lookup no-such-host.invalid: no such host"),
    ],
)
def test_a_url_that_leads_nowhere_is_said_in_go_s_words(scene: Scene, url: str, problem: str) -> None:
    scene.transport = NetTransport()
    assert scene.error(scene.single(url=url)) == f'failed to call endpoint: Get "{url}": {problem}'


@pytest.mark.parametrize(
    ("method", "url", "problem"),
    [
        ("G T", "https://h/", 'net/http: invalid method "G T"'),
        ("GET", "https://h/%zz", 'parse "https://h/%zz": invalid URL escape "%zz"'),
    ],
)
def test_a_request_that_cannot_be_made_fails(scene: Scene, method: str, url: str, problem: str) -> None:
    error = scene.error(scene.single(method=method, url=url))
    assert error == f"failed to create request: {problem}"


def test_plain_http_behind_an_https_url_is_recognised(scene: Scene) -> None:
    with serving(None) as plain:
        scene.transport = NetTransport(connect_to=plain.address)
        assert scene.error().endswith("http: server gave HTTP response to HTTPS client")


def test_a_plain_http_store_works_as_in_eso(scene: Scene) -> None:
    with serving(None) as plain:
        scene.transport = NetTransport()
        assert scene.value(scene.single(url=f"http://127.0.0.1:{plain.port}/x")) == "s"


def test_a_certificate_of_another_ca_is_not_trusted(scene: Scene, tmp_path: Path) -> None:
    other = base64.b64encode(make_authority(tmp_path).ca.encode()).decode()
    assert scene.error(scene.single(caBundle=other)) == (
        f'failed to call endpoint: Get "{PLACE}": '
        "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    )
    assert scene.error(scene.single(caBundle=None)).endswith("certificate signed by unknown authority")
    assert scene.endpoint.asked == []


@pytest.mark.parametrize(
    ("settings", "url", "problem"),
    [
        ({"days": -1}, f"https://{HOST}:9797/", "certificate has expired or is not yet valid"),
        ({"host": "other.internal"}, f"https://{HOST}:9797/", f"certificate is not valid for {HOST}"),
        (
            {"address": False},
            "https://127.0.0.1:9797/",
            "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
        ),
    ],
)
def test_a_bad_server_certificate_stops_the_request(
    tmp_path: Path, settings: dict[str, object], url: str, problem: str
) -> None:
    with serving(make_authority(tmp_path, **settings)) as endpoint:  # type: ignore[arg-type]
        scene = Scene(endpoint)
        assert scene.error(scene.single(url=url)) == (
            f'failed to call endpoint: Get "{url}": tls: failed to verify certificate: x509: {problem}'
        )
        assert endpoint.asked == []


def test_the_store_s_host_is_verified_wherever_it_is_dialled(scene: Scene) -> None:
    assert scene.value(scene.single(url="https://localhost:1/x")) == "s"
    assert "not valid for elsewhere" in scene.error(scene.single(url="https://elsewhere:1/x"))


def test_the_server_s_own_certificate_may_be_the_anchor(scene: Scene, authority: Authority) -> None:
    pem = authority.certificate.read_bytes()
    assert scene.value(scene.single(caBundle=base64.b64encode(pem).decode())) == "s"


def test_a_bundle_may_be_base64_of_base64(scene: Scene) -> None:
    once = base64.b64encode(scene.endpoint.ca.encode())
    assert scene.value(scene.single(caBundle=base64.b64encode(once).decode())) == "s"


@pytest.mark.parametrize(
    ("bundle", "problem"),
    [
        (b"garbage", "failed to decode ca bundle: failed to parse the new certificate, not valid pem data"),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "failed to decode ca bundle: failed to validate certificate: x509: malformed certificate",
        ),
    ],
)
def test_a_bundle_that_is_no_certificate_fails_the_client(scene: Scene, bundle: bytes, problem: str) -> None:
    assert scene.error(scene.single(caBundle=base64.b64encode(bundle).decode())) == problem


def _ca_manifest(
    kind: str, text: str, *, key: str = "ca.crt", namespace: str = "default"
) -> dict[str, object]:
    field = "data" if kind == "ConfigMap" else "stringData"
    metadata = {"name": "arcan-ca", "namespace": namespace}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, field: {key: text}}


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_the_ca_may_be_in_an_object_which_needs_no_label(scene: Scene, kind: str) -> None:
    provider = {"type": kind, "name": "arcan-ca", "key": "ca.crt"}
    garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    ca = _ca_manifest(kind, garbage + scene.endpoint.ca)  # a broken one is passed over
    assert scene.value(scene.single(caBundle=None, caProvider=provider), ca) == "s"


@pytest.mark.parametrize(
    ("kind", "text", "key", "problem"),
    [
        (
            "ConfigMap",
            None,
            "ca.crt",
            "failed to get cert from configmap: failed to get caProvider secret arcan-ca: "
            'configmaps "arcan-ca" not found',
        ),
        (
            "ConfigMap",
            "x",
            "other",
            "failed to get cert from configmap: failed to get caProvider configMap arcan-ca -> ca.crt",
        ),
        ("ConfigMap", "garbage", "ca.crt", "failed to append cabundle"),
        (
            "Secret",
            None,
            "ca.crt",
            "failed to get cert from secret: failed to resolve secret key ref: cannot get Kubernetes secret "
            '"arcan-ca" from namespace "default": secrets "arcan-ca" not found',
        ),
        (
            "Secret",
            "x",
            "other",
            "failed to get cert from secret: failed to resolve secret key ref: "
            'cannot find secret data for key: "ca.crt"',
        ),
    ],
)
def test_a_ca_that_is_not_where_it_should_be_fails_the_client(
    scene: Scene, kind: str, text: str | None, key: str, problem: str
) -> None:
    provider = {"type": kind, "name": "arcan-ca", "key": "ca.crt"}
    manifests = () if text is None else (_ca_manifest(kind, text, key=key),)
    assert scene.error(scene.single(caBundle=None, caProvider=provider), *manifests) == problem


def test_a_ca_provider_keeps_to_the_store_s_namespace(scene: Scene) -> None:
    provider = {"type": "ConfigMap", "name": "arcan-ca", "key": "ca.crt", "namespace": "other"}
    ca = _ca_manifest("ConfigMap", scene.endpoint.ca, namespace="other")
    problem = scene.error(scene.single(caBundle=None, caProvider=provider), ca)
    assert problem == "namespace not allowed with namespaced SecretStore"


def test_a_cluster_store_s_ca_provider_needs_a_namespace(scene: Scene) -> None:
    provider = {"type": "ConfigMap", "name": "arcan-ca", "key": "ca.crt"}
    clusterwide = scene.single(kind="ClusterSecretStore", caBundle=None, caProvider=provider)
    used = external_secret(kind="ClusterSecretStore")
    problem = scene.error(clusterwide, used, credentials(namespace="external-secrets"))
    assert problem == "missing namespace on caProvider secret"
