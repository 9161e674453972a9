"""A ClusterExternalSecret is one ExternalSecret in each namespace that it selects."""

from __future__ import annotations

from typing import Any

import pytest

from arcan_gitops.errors import SeveralErrors
from arcan_gitops.eso import read_cluster

SPEC = {
    "secretStoreRef": {"kind": "ClusterSecretStore", "name": "arcan"},
    "data": [{"secretKey": "K", "remoteRef": {"key": "K"}}],
}


def cluster_external_secret(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ClusterExternalSecret",
        "metadata": {"name": "shared"},
        "spec": {"externalSecretSpec": SPEC, "refreshTime": "1m0s", **spec},
    }


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def placed(*documents: dict[str, Any]) -> list[tuple[str, str]]:
    cluster = read_cluster(("file", document) for document in documents)
    return [(external.namespace, external.name) for external in cluster.external_secrets]


def test_namespaces_that_are_named_need_no_manifest():
    selector = {
        "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["b", "a"]}]
    }
    assert placed(cluster_external_secret(namespaceSelectors=[selector])) == [
        ("a", "shared"),
        ("b", "shared"),
    ]


def test_labels_are_looked_up_in_the_namespaces_that_are_given():
    selector = {"matchLabels": {"team": "shop"}}
    document = cluster_external_secret(namespaceSelectors=[selector], externalSecretName="mine")
    namespaces = namespace("one", team="shop"), namespace("two", team="ops"), namespace("three", team="shop")
    assert placed(document, *namespaces) == [("one", "mine"), ("three", "mine")]


def test_what_is_made_has_the_labels_that_are_written_for_it():
    document = cluster_external_secret(namespaces=["a"], externalSecretMetadata={"labels": {"x": "y"}})
    (external,) = read_cluster([("file", document)]).external_secrets
    assert external.labels == {"x": "y"}


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"namespaceSelectors": [{"matchLabels": {"team": "shop"}}]}, "its namespaces are not known"),
        ({}, "its namespaces are not known"),
        ({"namespaces": ["a"], "externalSecretSpec": None}, "spec.externalSecretSpec is missing"),
        ({"namespaces": ["a"], "namespaceSelctors": []}, "spec.namespaceSelctors is not a known field"),
        ({"namespaces": ["a"], "externalSecretSpec": {"data": []}}, "either data or dataFrom"),
    ],
)
def test_one_that_cannot_be_taken_apart_is_refused(spec: dict[str, Any], problem: str):
    with pytest.raises(SeveralErrors) as error:
        placed(cluster_external_secret(**spec))
    assert problem in str(error.value)
