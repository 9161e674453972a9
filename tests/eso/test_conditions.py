"""From which namespaces a ClusterSecretStore may be used."""

from __future__ import annotations

from typing import Any

import pytest

from arcan_gitops.eso import NotSupported
from tests.eso.samples import Manifest, Scene, credentials, external_secret

DENIED = 'using cluster store "arcan" is not allowed from namespace "shop": denied by spec.condition'


def namespace(**labels: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": labels}}


def run(scene: Scene, conditions: list[dict[str, Any]], *manifests: Manifest) -> str:
    """The error of a refresh in the namespace shop, empty if it works."""
    outcome = scene.refresh(
        scene.single(kind="ClusterSecretStore", conditions=conditions),
        credentials(namespace="external-secrets"),
        external_secret(namespace="shop", kind="ClusterSecretStore"),
        *manifests,
    )
    return outcome.error.partition(", err: ")[2]


@pytest.mark.parametrize(
    "conditions",
    [
        [],
        [{"namespaces": ["default", "shop"]}],
        [{"namespaces": ["default"]}, {"namespaces": ["shop"]}],
        [{"namespaceRegexes": ["^shop$"]}],
        [{"namespaceRegexes": ["ho"]}],  # unanchored
        [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}],
    ],
)
def test_a_namespace_that_a_condition_names_may_use_the_store(
    scene: Scene, conditions: list[dict[str, Any]]
) -> None:
    assert run(scene, conditions) == ""


@pytest.mark.parametrize(
    "conditions", [[{"namespaces": ["default"]}], [{"namespaceRegexes": ["^hop"]}], [{}]]
)
def test_another_namespace_is_denied(scene: Scene, conditions: list[dict[str, Any]]) -> None:
    assert run(scene, conditions) == DENIED
    assert scene.endpoint.asked == []


@pytest.mark.parametrize(
    ("selector", "allowed"),
    [
        ({"matchLabels": {"team": "shop"}}, True),
        ({"matchLabels": {"team": "shop", "tier": "1"}}, False),
        ({"matchExpressions": [{"key": "team", "operator": "In", "values": ["shop", "x"]}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["shop"]}]}, False),
        ({"matchExpressions": [{"key": "nope", "operator": "NotIn", "values": ["x"]}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, False),
        ({}, True),
    ],
)
def test_a_selector_reads_the_namespace_s_labels(
    scene: Scene, selector: dict[str, Any], allowed: bool
) -> None:
    error = run(scene, [{"namespaceSelector": selector}], namespace(team="shop"))
    assert error == ("" if allowed else DENIED)


def test_labels_that_are_not_known_are_not_guessed(scene: Scene) -> None:
    with pytest.raises(NotSupported, match='the labels of namespace "shop"') as caught:
        run(scene, [{"namespaceSelector": {"matchLabels": {"team": "shop"}}}])
    assert caught.value.hint == "give the manifest of the Namespace as well"


def test_a_bad_regex_fails_the_refresh(scene: Scene) -> None:
    error = run(scene, [{"namespaceRegexes": ["("]}])
    assert error == "failed to compile regex (: error parsing regexp: missing closing ): `(`"
