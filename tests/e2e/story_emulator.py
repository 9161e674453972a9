"""What people write that is not ours: templates, merges, refusals; the operator and its emulator agree on it.

`cluster.sync` refreshes by both, and fails where they differ in a condition, a Warning, a value or a label.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cases import answer
from tests.e2e.cluster import Cluster, Seen
from tests.eso.endpoint import Endpoint, make_authority, serving


@pytest.fixture
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """eso/answers.json of tests/cases, over TLS."""
    with serving(make_authority(tmp_path_factory.mktemp("authority"), host="localhost")) as endpoint:
        endpoint.says(answer)
        yield endpoint


def store(namespace: str, endpoint: Endpoint, path: str, name: str = "hooks") -> dict[str, Any]:
    webhook = {
        "url": f"https://localhost:{endpoint.port}/{{{{ .remoteRef.key }}}}",
        "timeout": "5s",
        "caBundle": base64.b64encode(endpoint.ca.encode()).decode(),
        "result": {"jsonPath": path},
    }
    metadata = {"name": name, "namespace": namespace}
    return _eso("SecretStore", metadata, {"provider": {"webhook": webhook}})


def _eso(kind: str, metadata: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "external-secrets.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


def external(namespace: str, name: str, /, *keys: str, store: str = "hooks", **target: Any) -> dict[str, Any]:
    """Each key is `name of the key in the Secret=key`, or `...=key/property`."""
    data = []
    for key in keys:
        secret_key, _, ref = key.partition("=")
        remote, _, part = ref.partition("/")
        data.append(
            {"secretKey": secret_key, "remoteRef": {"key": remote, **({"property": part} if part else {})}}
        )
    spec = {"refreshInterval": "1h", "secretStoreRef": {"name": store}, "target": target, "data": data}
    return _eso("ExternalSecret", {"name": name, "namespace": namespace}, spec)


def synced(cluster: Cluster, namespace: str, *manifests: dict[str, Any]) -> dict[str, Seen]:
    cluster.make_namespace(namespace)
    cluster.api.apply(*manifests)
    return {name: seen for (_, name), seen in cluster.sync(namespace).items()}


TEMPLATES = {
    "login": '{{ print "svc" ":" .v | b64enc }}',
    "json": '{{ dict "a" .v "b" (list 1 2.5 true nil) | toJson }}',
    "member": "{{ (.creds | fromJson).password }}{{ (.creds | fromJson).id }}",
    "loop": "{{ range $i, $t := (.creds | fromJson).tags }}{{ $i }}={{ $t }};{{ end }}",
    "chosen": '{{ if and .v (ne .v "x") }}{{ .v | upper | nindent 2 }}{{ else }}no{{ end }}',
    "with": "{{ with (.creds | fromJson).sub }}{{ .x }}{{ end }}",
    "texts": '{{ .v | splitList "." | last | replace "=" "-" | quote }}{{ .v | regexMatch "^org" }}',
    "printf": '{{ printf "%5d|%-5s|%q|%v" 7 "a" .v (.creds | fromJson).nothing }}',
}


def test_templates_are_rendered_alike(cluster: Cluster, endpoint: Endpoint) -> None:
    found = synced(
        cluster,
        "emulator-templates",
        store("emulator-templates", endpoint, "$.value"),
        store("emulator-templates", endpoint, "$.credential", "creds"),
        external("emulator-templates", "one", "v=gradle", template={"data": {"v": "{{ .v }}"}}),
        _of_two_stores("emulator-templates"),
    )
    assert {seen.reason for seen in found.values()} == {"SecretSynced"}
    assert found["all"].texts["loop"] == "0=a;1=b;"


def _of_two_stores(namespace: str) -> dict[str, Any]:
    manifest = external(namespace, "all", "v=gradle", "creds=creds", template={"data": TEMPLATES})
    manifest["spec"]["data"][1]["sourceRef"] = {"storeRef": {"name": "creds"}}
    return manifest


@pytest.mark.parametrize(
    ("name", "path", "key"),
    [
        ("filter", '$.data.fields[?@.name=="{{ .remoteRef.property }}"].value', "v=fields/api"),
        ("or", '$.data.attributes.{{ or .remoteRef.property "password" }}', "v=attrs"),
        ("range", "$.items[1:].value", "v=multi"),
    ],
)
def test_json_paths_select_alike(
    cluster: Cluster, endpoint: Endpoint, name: str, path: str, key: str
) -> None:
    namespace = f"emulator-path-{name}"
    found = synced(cluster, namespace, store(namespace, endpoint, path), external(namespace, "one", key))
    assert found["one"].reason == "SecretSynced"


def test_two_merges_keep_each_its_own_keys(cluster: Cluster, endpoint: Endpoint) -> None:
    namespace = "emulator-merges"
    metadata = {"name": "uber", "namespace": namespace}
    shared = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "stringData": {"orig": "o", "t1": "x"},
    }
    target = {"name": "uber", "creationPolicy": "Merge"}
    empty = {"metadata": {"labels": {}, "annotations": {}}}
    one = external(namespace, "m1", "t1=num", "gone=gradle", **target, template=empty)
    two = external(namespace, "m2", "t2=gradle", **target)
    found = synced(cluster, namespace, store(namespace, endpoint, "$.value"), shared, one, two)
    assert found["m2"].texts == {"orig": "o", "t1": "42", "t2": "org.gradle=1", "gone": "org.gradle=1"}
    cluster.api.apply(external(namespace, "m1", "t1=num", **target, template=empty))
    found = {name: seen for (_, name), seen in cluster.sync(namespace).items()}
    assert found["m1"].texts == {"orig": "o", "t1": "42", "t2": "org.gradle=1"}


@pytest.mark.parametrize(
    ("name", "template", "problem"),
    [
        ("function", {"data": {"x": "{{ .v | b64encode }}"}}, 'function "b64encode" not defined'),
        ("missing", {"data": {"x": "{{ .nope }}"}}, 'map has no entry for key "nope"'),
        ("login", {"type": "kubernetes.io/basic-auth", "data": {"user": "a"}}, "Required value"),
        ("ssh", {"type": "kubernetes.io/ssh-auth", "data": {"ssh-privatekey": ""}}, "Required value"),
    ],
)
def test_refusals_are_alike(
    cluster: Cluster, endpoint: Endpoint, name: str, template: dict[str, Any], problem: str
) -> None:
    namespace = f"emulator-refused-{name}"
    one = external(namespace, "one", "v=gradle", template=template)
    found = synced(cluster, namespace, store(namespace, endpoint, "$.value"), one)
    assert found["one"].reason == "SecretSyncedError"
    assert problem in found["one"].problem


def test_template_from_is_read_alike(cluster: Cluster, endpoint: Endpoint) -> None:
    namespace = "emulator-template-from"
    metadata = {"name": "texts", "namespace": namespace}
    texts = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"dsn": "db://{{ .v }}"}}
    sources = [
        {"literal": "a: '{{ .v }}'\nb: c\n"},
        {"configMap": {"name": "texts", "items": [{"key": "dsn"}]}},
        {"literal": "team: x", "target": "Labels"},
    ]
    one = external(namespace, "one", "v=gradle", template={"templateFrom": sources})
    found = synced(cluster, namespace, store(namespace, endpoint, "$.value"), texts, one)
    assert found["one"].texts == {"a": "org.gradle=1", "b": "c", "dsn": "db://org.gradle=1"}
    assert found["one"].labels["team"] == "x"
