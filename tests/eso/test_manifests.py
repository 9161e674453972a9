"""What the API server or ESO's admission webhook would refuse, and what is taken as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.eso import read_cluster
from arcan_gitops.eso.files import manifest_files, read_file, read_manifests
from arcan_gitops.eso.objects import StoreKind
from tests.eso.samples import Manifest, cluster_of, credentials, entry, external_secret, extract, store


def problem_of(*manifests: Any) -> str:
    with pytest.raises(SeveralErrors) as caught:
        cluster_of(*manifests)
    (problem,) = caught.value.problems
    return problem.message


def changed(manifest: Manifest, path: str, value: Any) -> Manifest:
    """The manifest with one field set, whatever is there."""
    *parents, last = path.split(".")
    place = manifest
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place[name]
    place[last] = value
    return manifest


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (
            "spec.provider.webhook.headers",
            [{"name": "A", "value": "b"}],
            "headers must be a mapping, not a list",
        ),
        ("spec.provider.webhook.headers", {"A": 1}, "headers.A must be a string, not a number"),
        ("spec.provider.webhook.timeout", 5, "timeout must be a string, not a number"),
        ("spec.provider.webhook.timeout", "5", "timeout must be a duration such as 5s"),
        ("spec.provider.webhook.url", None, "url is missing"),
        ("spec.provider.webhook.clientTLS", {}, "clientTLS is not a known field"),
        ("spec.provider.webhook.caBundle", "-----BEGIN", "caBundle must be base64"),
        ("spec.provider.webhook.secrets", [{"name": "auth"}], "secrets[0].secretRef is missing"),
        (
            "spec.provider.webhook.caProvider",
            {"type": "File", "name": "x"},
            "caProvider.type must be one of Secret, ConfigMap",
        ),
        ("spec.provider", {}, "spec.provider must name exactly one provider, not 0"),
    ],
)
def test_a_store_of_the_wrong_shape_is_refused(path: str, value: Any, problem: str) -> None:
    message = problem_of(changed(store(), path, value))
    assert message.startswith("manifests.yaml: SecretStore arcan: spec.")
    assert problem in message


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("spec.data.0.secretKey", "a b", "spec.data[0].secretKey must be 1 to 253 of"),
        ("spec.data.0.remoteRef", {}, "spec.data[0].remoteRef.key is missing"),
        ("spec.data.0.remoteRef", {"key": "K", "decodingStrategy": "base64"}, "must be one of None, Base64"),
        ("spec.secretStoreRef.kind", "Store", "must be one of SecretStore, ClusterSecretStore"),
        ("spec.target.template", {"engineVersion": "v1"}, "engineVersion must be one of v2"),
        ("spec.data", [], "either data or dataFrom should be specified"),
        ("spec.dataFrom", [{}], "either extract, find, or sourceRef must be set to dataFrom"),
        (
            "spec.dataFrom",
            [{"extract": {"key": "x"}, "find": {}}],
            "extract, find, or generatorRef cannot be set at the same time",
        ),
        (
            "spec.target",
            {"deletionPolicy": "Delete", "creationPolicy": "Merge"},
            "deletionPolicy=Delete must not be used when the controller doesn't own the secret",
        ),
        (
            "spec.target",
            {"deletionPolicy": "Merge", "creationPolicy": "None"},
            "deletionPolicy=Merge must not be used with creationPolicy=None",
        ),
        ("spec.data", [entry(), entry()], "duplicate secretKey found: K"),
        ("spec.refreshinterval", "1h", "spec.refreshinterval is not a known field"),
        ("apiVersion", "external-secrets.io/v1beta1", "is not served by ESO since 0.17"),
        ("kind", "ClusterExternalSecret", "spec.externalSecretSpec is missing"),
        ("kind", "SecretProviderClass", "no such kind: SecretProviderClass in external-secrets.io/v1"),
    ],
)
def test_an_external_secret_that_the_cluster_refuses_is_refused(path: str, value: Any, problem: str) -> None:
    assert problem in problem_of(changed(external_secret(), path, value))


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SeveralErrors) as caught:
        cluster_of(store(url=None), external_secret(deletionPolicy="Never"), store())
    assert caught.value.message.startswith("2 manifests cannot be simulated:")
    assert len(caught.value.problems) == 2


def test_an_unknown_field_names_the_one_that_was_meant() -> None:
    with pytest.raises(SeveralErrors, match="did you mean 'timeout'"):
        cluster_of(store(timeOut="5s"))


def test_a_secret_with_bad_base64_is_refused_without_its_value() -> None:
    manifest = {**credentials(), "data": {"token": "arc_%%%"}}
    message = problem_of(manifest)
    assert message == (
        "manifests.yaml: Secret arcan-credentials: data.token illegal base64 data at input byte 3"
    )


def test_the_same_object_twice_is_refused() -> None:
    assert problem_of(credentials(), credentials()) == (
        "manifests.yaml: Secret default arcan-credentials is given twice"
    )


def test_a_list_is_taken_apart_and_other_kinds_are_left_out() -> None:
    items = [
        external_secret(),
        store(),
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}},
    ]
    cluster = cluster_of({"apiVersion": "v1", "kind": "List", "items": items})
    assert (len(cluster.external_secrets), len(cluster.stores)) == (1, 1)


def test_an_object_without_a_namespace_goes_where_it_is_told() -> None:
    manifest = external_secret()
    del manifest["metadata"]["namespace"]
    clusterwide = store(kind="ClusterSecretStore")
    cluster = read_cluster([("a", manifest), ("b", clusterwide)], namespace="shop")
    assert cluster.external_secrets[0].namespace == "shop"
    assert cluster.stores[0].id.kind is StoreKind.CLUSTER_SECRET_STORE
    assert cluster.stores[0].id.namespace == ""


def test_the_defaults_are_the_crd_s() -> None:
    manifest = external_secret(entry(), data_from=(extract(),))
    del manifest["spec"]["target"]
    del manifest["spec"]["secretStoreRef"]["kind"]
    (external,) = cluster_of(manifest).external_secrets
    assert (external.target.name, external.target.creation, external.target.deletion) == (
        "my-app-secrets",
        "Owner",
        "Retain",
    )
    assert external.data[0].store is not None
    assert external.data[0].store.kind is StoreKind.SECRET_STORE


def test_a_folder_gives_its_manifests_and_not_kustomize_s(tmp_path: Path) -> None:
    for name in ("b.yaml", "sub/a.yml", "sub/kustomization.yaml", ".hidden/c.yaml", "notes.txt", "d.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    found = [str(path.relative_to(tmp_path)) for path in manifest_files(tmp_path)]
    assert found == ["b.yaml", "d.json", "sub/a.yml"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArcanError, match="no manifests here"):
        manifest_files(tmp_path / "empty")
    with pytest.raises(ArcanError, match="no such file"):
        manifest_files(tmp_path / "nope")
    with pytest.raises(ArcanError, match="cannot be read"):
        read_file(tmp_path / "empty")


def test_a_stream_may_hold_several_documents_each_of_which_is_a_mapping() -> None:
    assert len(list(read_manifests([("x", b"---\na: 1\n---\nb: 2\n")]))) == 2
    with pytest.raises(ArcanError, match="x: not a Kubernetes manifest"):
        list(read_manifests([("x", b"- a\n")]))
