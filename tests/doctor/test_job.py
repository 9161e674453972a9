"""`--in-cluster`: a Job that may run anywhere, tries what ESO does, and holds no token."""

from __future__ import annotations

import pytest

from arcan_gitops.cli import arcan
from arcan_gitops.doctor.job import in_cluster
from arcan_gitops.errors import ArcanError
from arcan_gitops.eso import read_cluster
from arcan_gitops.yamlio import emit, read_documents
from tests.deploy.repository import validated
from tests.deploy.test_pod_security import broken
from tests.doctor.scene import TOKEN, Object, Scene, deployment
from tests.doctor.test_faults import to_cluster_store

IMAGE = "ghcr.io/x/arcan:1"
HOME = {"SecretStore": "shop", "ClusterSecretStore": "external-secrets"}


@pytest.fixture(params=HOME)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def scene(kind: str) -> Scene:
    scene = Scene()
    if kind == "ClusterSecretStore":
        to_cluster_store()(scene)
    scene.objects["Deployment", "arcan", "arcan"] = deployment("arcan", "arcan")
    return scene


def printed(scene: Scene, image: str | None = None) -> tuple[Object, Object, str]:
    """The ConfigMap and the Job, as they are printed, and the text."""
    text = emit(in_cluster(scene.facts(network=False), image))
    config_map, job = read_documents(text.encode(), "printed")
    return config_map, job, text


def test_it_is_valid_and_may_run_where_restricted_is_enforced(scene: Scene) -> None:
    config_map, job, _ = printed(scene)
    validated([config_map, job])
    assert list(broken(job["spec"]["template"]["spec"])) == []


def test_it_runs_where_the_token_is_with_the_label_that_the_servers_network_policy_lets_in(
    scene: Scene, kind: str
) -> None:
    config_map, job, _ = printed(scene)
    assert {one["metadata"]["namespace"] for one in (config_map, job)} == {HOME[kind]}
    assert job["spec"]["template"]["metadata"]["labels"] == {"run": "arcan-test"}


def test_the_token_is_mounted_and_nowhere_in_it(scene: Scene) -> None:
    _, job, text = printed(scene)
    assert TOKEN.text.reveal() not in text
    pod = job["spec"]["template"]["spec"]
    sources = {volume["name"]: volume for volume in pod["volumes"]}
    token = {"secretName": "arcan-credentials", "items": [{"key": "token", "path": "token"}]}
    assert sources["token-0"]["secret"] == token
    assert sources["ca"]["configMap"]["name"] == "arcan-ca"
    network, read = pod["containers"]
    assert "volumeMounts" not in network
    assert {mount["name"] for mount in read["volumeMounts"]} == {"manifests", "token-0", "ca"}


def test_its_commands_are_commands_of_arcan(scene: Scene) -> None:
    _, job, _ = printed(scene)
    for container in job["spec"]["template"]["spec"]["containers"]:
        context, words = arcan, list(container["args"])
        while (words and words[0] in getattr(context, "commands", {})) or hasattr(context, "list_commands"):
            found = context.get_command(None, words.pop(0))  # type: ignore[arg-type, union-attr]
            assert found is not None
            context = found  # type: ignore[assignment]
        context.make_context("command", words)  # raises for an option that there is not


def test_its_manifests_are_the_external_secret_and_its_stores(scene: Scene, kind: str) -> None:
    config_map, _, _ = printed(scene)
    documents = read_documents(config_map["data"]["manifests.yaml"].encode(), "manifests.yaml")
    cluster = read_cluster([("manifests.yaml", document) for document in documents])
    assert [str(one) for one in cluster.external_secrets] == ["ExternalSecret shop/shop-env"]
    assert [store.id.kind for store in cluster.stores] == [kind]
    assert all("status" not in document for document in documents)


def test_its_image_is_that_of_the_server_or_the_one_that_is_named(scene: Scene) -> None:
    def images(image: str | None) -> set[str]:
        _, job, _ = printed(scene, image)
        return {container["image"] for container in job["spec"]["template"]["spec"]["containers"]}

    assert images(None) == {"ghcr.io/x/arcan:1"}
    assert images("other:2") == {"other:2"}
    scene.remove("Deployment", "arcan", "arcan")
    with pytest.raises(ArcanError, match="which image"):
        printed(scene)


def test_without_a_webhook_store_there_is_nothing_to_try() -> None:
    scene = Scene()
    scene.store["spec"]["provider"] = {"vault": {}}
    with pytest.raises(ArcanError, match="a Job could try nothing"):
        printed(scene)
    scene.remove("ExternalSecret", "shop", "shop-env")
    with pytest.raises(ArcanError, match="there is no such ExternalSecret"):
        printed(scene)
