"""What every generated manifest holds to, in each ESO version whose schemas are kept."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from functools import cache, reduce
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from arcan_gitops.eso_version import CREATE_OR_MERGE, UNIFIED_STORE, EsoVersion
from arcan_gitops.names import EnvironmentName, KeyName, Namespace, ObjectName, RealmName
from arcan_gitops.overlay import App, Consumer, build_overlays, quickstart, read_apps, read_settings
from arcan_gitops.overlay.settings import DEFAULTS, Settings, StoreSettings
from arcan_gitops.validate.schemaset import KEPT, eso_versions
from arcan_gitops.yamlio import emit, read_documents
from tests.overlay.samples import SAMPLES
from tests.overlay.test_golden_overlays import CASES, GOLDEN

VERSIONS = eso_versions()


def project(case: str, version: str) -> tuple[Settings, tuple[App, ...]]:
    """The settings and apps of a golden case for clusters with that ESO, without what it cannot give."""
    settings, apps, eso = read_settings(GOLDEN / case), read_apps(GOLDEN / case), EsoVersion.parse(version)
    if CREATE_OR_MERGE.missing_in(eso):
        apps = tuple(without_create_or_merge(app) for app in apps)
    overlays = tuple(
        replace(overlay, settings=on_version(overlay.settings, eso))
        for overlay in settings.overlays(SAMPLES.environments())
    )
    return replace(settings, declared=overlays), apps


def manifests_of(case: str, version: str = VERSIONS[-1]) -> list[dict[str, Any]]:
    """All manifests of a golden case, as a reader of the files sees them."""
    settings, apps = project(case, version)
    tree = build_overlays(apps, settings, SAMPLES)
    return [
        manifest
        for path, text in tree.items()
        if not path.endswith("kustomization.yaml")
        for manifest in read_documents(text.encode(), path)
    ]


def on_version(settings: StoreSettings, version: EsoVersion) -> StoreSettings:
    unified = settings.unified and not UNIFIED_STORE.missing_in(version)
    return replace(settings, eso_version=version, unified=unified)


def without_create_or_merge(app: App) -> App:
    return replace(app, secrets=tuple(secret for secret in app.secrets if secret.creation != "CreateOrMerge"))


@cache
def validator(version: str, api_version: str, kind: str) -> jsonschema.Draft202012Validator:
    group, api = api_version.split("/")
    project = f"external-secrets/{version}" if group.startswith("external-secrets") else "kubernetes/v1.34.4"
    file = Path(KEPT, project, group, f"{kind.lower()}_{api}.json")
    return jsonschema.Draft202012Validator(json.loads(file.read_text()))


def schema_of(version: str, manifest: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = validator(version, manifest["apiVersion"], manifest["kind"]).schema
    return schema


def assert_stored_as_written(version: str, manifest: dict[str, Any]) -> None:
    validator(version, manifest["apiVersion"], manifest["kind"]).validate(manifest)
    assert with_defaults(schema_of(version, manifest), manifest) == manifest


def with_defaults(schema: dict[str, Any], value: Any, root: dict[str, Any] | None = None) -> Any:
    """What an API server stores: structural defaulting, in the fields that are there."""
    root = root or schema
    if isinstance(value, list):
        items = resolved(schema.get("items", {}), root)
        return [with_defaults(items, item, root) for item in value]
    if not isinstance(value, dict):
        return value
    fields = {name: resolved(field, root) for name, field in schema.get("properties", {}).items()}
    missing = {name: field["default"] for name, field in fields.items() if "default" in field}
    return {
        name: with_defaults(fields.get(name, {}), copy.deepcopy(item), root)
        for name, item in {**missing, **value}.items()
    }


def resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """The schema that a local reference names."""
    while "$ref" in schema:
        _, *steps = schema["$ref"].split("/")
        schema = reduce(lambda node, step: node[step], steps, root)
    return schema


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_a_manifest_is_valid_and_no_default_is_left_to_the_api_server(case: str, version: str):
    """Else Argo CD would show drift for ever."""
    for manifest in manifests_of(case, version):
        assert_stored_as_written(version, manifest)


def test_the_defaulting_of_this_test_would_see_a_missing_default():
    (manifest, *_) = [m for m in manifests_of("default-overlays") if "data" in m["spec"]]
    del manifest["spec"]["target"]["deletionPolicy"]
    del manifest["spec"]["data"][0]["remoteRef"]["metadataPolicy"]
    schema = schema_of("v1.3.2", manifest)
    defaulted = with_defaults(schema, manifest)
    assert defaulted["spec"]["target"]["deletionPolicy"] == "Retain"
    assert defaulted["spec"]["data"][0]["remoteRef"]["metadataPolicy"] == "None"


@pytest.mark.parametrize("case", CASES)
def test_every_manifest_but_a_cluster_store_has_its_namespace(case: str):
    for manifest in manifests_of(case):
        namespaced = "namespace" in manifest["metadata"]
        assert namespaced is not manifest["kind"].startswith("Cluster")


@pytest.mark.parametrize("case", CASES)
def test_nothing_waits_for_the_health_of_another(case: str):
    """In one wave Argo CD applies everything; a store that is not ready keeps nobody else from his changes."""
    for manifest in manifests_of(case):
        assert "argocd.argoproj.io/sync-wave" not in manifest["metadata"].get("annotations", {})


@pytest.mark.parametrize("case", CASES)
def test_every_reference_to_a_store_is_kept(case: str):
    """In the same overlay, of the right kind, in the same namespace, and allowed to the namespace."""
    settings = read_settings(GOLDEN / case)
    tree = build_overlays(read_apps(GOLDEN / case), settings, SAMPLES)
    for overlay in settings.overlays(SAMPLES.environments()):
        mine = [
            manifest
            for path, text in tree.items()
            if path.startswith(f"{overlay.name}/") and not path.endswith("kustomization.yaml")
            for manifest in read_documents(text.encode(), path)
        ]
        stores = {(m["kind"], m["metadata"].get("namespace"), m["metadata"]["name"]): m for m in mine}
        for secret in (m for m in mine if m["kind"] == "ExternalSecret"):
            kind, name = secret["spec"]["secretStoreRef"]["kind"], secret["spec"]["secretStoreRef"]["name"]
            namespace = secret["metadata"]["namespace"]
            store = stores[kind, namespace if kind == "SecretStore" else None, name]
            if kind == "ClusterSecretStore":
                assert namespace in store["spec"]["conditions"][0]["namespaces"]
            if name.startswith("arcan") and not overlay.settings.unified:
                bulk = "dataFrom" in secret["spec"]
                path = '$["data"]' if bulk else '$["value"]'
                assert store["spec"]["provider"]["webhook"]["result"]["jsonPath"] == path


def test_a_cluster_store_is_open_to_exactly_the_namespaces_that_use_it():
    stores = {
        (m["metadata"]["name"], m["spec"]["provider"]["webhook"]["url"].split("?env=")[1].split("&")[0]): m
        for m in manifests_of("cluster-stores")
        if m["kind"] == "ClusterSecretStore"
    }
    allowed = {name: store["spec"]["conditions"] for name, store in stores.items()}
    assert allowed == {
        ("arcan", "staging"): [{"namespaces": ["orders", "shop-staging"]}],
        ("arcan-bulk", "staging"): [{"namespaces": ["shop-staging"]}],
        ("arcan.production.shop", "prod"): [{"namespaces": ["orders", "shop"]}],
        ("arcan-bulk.production.shop", "prod"): [{"namespaces": ["shop"]}],
        ("arcan.platform.monitoring", "prod"): [{"namespaces": ["monitoring"]}],
    }


def test_a_cluster_store_names_the_namespace_of_its_token_and_its_ca():
    for manifest in manifests_of("cluster-stores"):
        if manifest["kind"] == "ClusterSecretStore":
            webhook = manifest["spec"]["provider"]["webhook"]
            assert webhook["secrets"][0]["secretRef"]["namespace"] == "eso-system"
            assert webhook["caProvider"]["namespace"] == "eso-system"


def test_a_token_key_that_is_no_identifier_is_indexed():
    (store, *_) = [m for m in manifests_of("cluster-stores") if m["kind"] == "ClusterSecretStore"]
    headers = store["spec"]["provider"]["webhook"]["headers"]
    assert headers["Authorization"] == 'Bearer {{ index .auth "api-token" | trim }}'


def test_apps_with_different_tokens_in_one_namespace_have_their_own_stores_and_tokens():
    stores = [m for m in manifests_of("one-namespace") if m["kind"] == "SecretStore"]
    tokens = {
        m["metadata"]["name"]: m["spec"]["provider"]["webhook"]["secrets"][0]["secretRef"]["name"]
        for m in stores
    }
    assert tokens == {
        "arcan.platform.monitoring": "arcan-credentials.platform.monitoring",
        "arcan.production.mailer": "arcan-credentials.production.mailer",
        "arcan.production.shop": "arcan-credentials.production.shop",
        "arcan-bulk.production.shop": "arcan-credentials.production.shop",
    }


def test_durations_are_written_as_kubernetes_writes_them():
    intervals = {m["spec"].get("refreshInterval") for m in manifests_of("fleet")} - {None}
    assert intervals == {"1h30m0s", "30s"}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("users", [None, (), (Namespace("shop"),)])
def test_the_manifests_without_an_app_file_are_held_to_the_same(
    users: tuple[Namespace, ...] | None, version: str
):
    consumer = Consumer(
        realm=RealmName("production"),
        environment=EnvironmentName("prod"),
        namespace=Namespace("shop"),
        name=ObjectName("my-app-secrets"),
        keys=(KeyName("DATABASE_URL"), KeyName("a.b-c")),
        users=users,
    )
    text = emit(quickstart(consumer, DEFAULTS))
    for manifest in read_documents(text.encode(), "stdout"):
        assert_stored_as_written(version, manifest)
