"""`raw`: what ESO has and no declared form says, in apps and among stores."""

from __future__ import annotations

from typing import Any

import pytest

from arcan_gitops.errors import SeveralErrors
from arcan_gitops.names import KeyName, TokenName
from arcan_gitops.overlay import App, Settings, TokenScope, build_overlays
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.needed_tokens import needed_scope
from arcan_gitops.overlay.uses import uses_of_keys
from arcan_gitops.yamlio import InvalidFile, read_documents
from tests.overlay.samples import PROD, PRODUCTION, SAMPLES

FIND = "raw:\n- name: found\n  spec: {dataFrom: [{find: {name: {regexp: '^a'}}}], target: {name: all}}\n"
NULLS = "raw:\n- name: nulls\n  spec: {data: [{secretKey: A, remoteRef: {key: GREETING, nullBytePolicy: Fail}}]}\n"
STORES = "stores: {raw: {op: {provider: {onepasswordSDK: {vault: v}}}}}\n"
REALM = "realm: production\ntoken: shop\n"


def app(raw: str, reads: str = "store: op\n", place: str = "namespace: shop\n") -> App:
    return App.parse(f"name: shop\n{reads}{place}{raw}".encode(), "apps/shop.yaml")


def build(*apps: App, using: str = STORES) -> dict[str, list[Any]]:
    settings = Settings.parse(
        f"overlays: {{prod: {{environment: prod}}}}\n{using}".encode(), "arcan.yaml", pytest.fail
    )
    tree = build_overlays(apps, settings, SAMPLES)
    return {path: list(read_documents(text.encode(), path)) for path, text in tree.items()}


def only(tree: dict[str, list[Any]], path: str) -> Any:
    (document,) = tree[f"prod/{path}"]
    return document


def test_a_raw_spec_is_taken_as_it_is_with_the_store_of_the_app() -> None:
    made = only(build(app(FIND)), "shop/apps/shop.yaml")
    assert made["kind"] == "ExternalSecret"
    assert made["metadata"]["name"] == "found"
    assert made["metadata"]["namespace"] == "shop"
    assert made["spec"] == {
        "secretStoreRef": {"kind": "SecretStore", "name": "op"},
        "dataFrom": [{"find": {"name": {"regexp": "^a"}}}],
        "target": {"name": "all"},
    }


def test_a_raw_store_is_taken_as_it_is() -> None:
    made = only(build(app(FIND)), "shop/stores.yaml")
    assert made["kind"] == "SecretStore"
    assert made["spec"] == {"provider": {"onepasswordSDK": {"vault": "v"}}}


@pytest.mark.parametrize(
    ("raw", "store"),
    [(NULLS, "arcan"), ("raw: [{name: a, spec: {dataFrom: [{extract: {key: x}}]}}]\n", "arcan-bulk")],
)
def test_an_app_of_a_realm_has_raw_entries_too(raw: str, store: str) -> None:
    tree = build(app(raw, REALM), using="")
    assert only(tree, "shop/apps/shop.yaml")["spec"]["secretStoreRef"]["name"] == store
    assert [document["metadata"]["name"] for document in tree["prod/shop/stores.yaml"]] == [store]


def test_a_store_that_a_raw_entry_names_is_the_one_that_it_reads() -> None:
    raw = "raw: [{name: a, spec: {secretStoreRef: {kind: ClusterSecretStore, name: theirs}, data: []}}]\n"
    assert only(build(app(raw, REALM), using=""), "shop/apps/shop.yaml")["spec"]["secretStoreRef"] == {
        "kind": "ClusterSecretStore",
        "name": "theirs",
    }


def test_raw_entries_go_to_many_namespaces() -> None:
    tree = build(app(FIND, place="namespaces: [a, b]\n"), using=f"{STORES[:-2]}, scope: cluster}}\n")
    made = only(tree, "_platform/apps/shop.yaml")
    assert made["kind"] == "ClusterExternalSecret"
    assert made["spec"]["externalSecretSpec"]["target"] == {"name": "all"}


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("raw: [{name: a}]\n", "'spec' must be a mapping|'spec' is missing"),
        ("raw: [{name: a, spec: {}, kind: x}]\n", "unknown field 'kind'"),
        ("raw: [{name: A_b, spec: {}}]\n", "not a valid"),
        ("", "the app declares no secrets"),
    ],
)
def test_what_is_wrong_with_a_raw_entry_is_named(raw: str, problem: str) -> None:
    with pytest.raises(InvalidFile, match=problem):
        app(raw)


@pytest.mark.parametrize("provider", ["{}", "{vault: {}, fake: {}}"])
def test_a_raw_store_has_just_one_provider(provider: str) -> None:
    with pytest.raises(InvalidFile, match="just one provider"):
        build(app(FIND), using=f"stores: {{raw: {{op: {{provider: {provider}}}}}}}\n")


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            "- {name: other, spec: {data: [], target: {name: all}}}\n",
            "Secret 'all' of namespace 'shop' is taken",
        ),
        ("- {name: found, spec: {data: [], target: {name: x}}}\n", "there are two ExternalSecrets 'found'"),
    ],
)
def test_names_that_are_taken_are_refused(more: str, problem: str) -> None:
    with pytest.raises(SeveralErrors) as error:
        build(app(FIND + more))
    assert problem in error.value.problems[0].message


def test_a_raw_entry_s_keys_are_in_use_and_in_the_token_s_scope() -> None:
    raw = app(NULLS, REALM)
    settings = Settings.parse(b"overlays: {prod: {environment: prod}}\n", "arcan.yaml", pytest.fail)
    scope = needed_scope([raw], settings.overlays([PROD]), Credential(PRODUCTION, TokenName("shop")))
    assert scope == TokenScope(("prod",), ("GREETING",))
    (use,) = uses_of_keys([raw], settings, PRODUCTION, PROD, [KeyName("GREETING")])
    assert use.where == "apps/shop.yaml:6"


def test_a_raw_entry_that_takes_all_needs_a_token_for_all() -> None:
    raw = app("raw: [{name: a, spec: {dataFrom: [{extract: {key: x}}]}}]\n", REALM)
    settings = Settings.parse(b"overlays: {prod: {environment: prod}}\n", "arcan.yaml", pytest.fail)
    scope = needed_scope([raw], settings.overlays([PROD]), Credential(PRODUCTION, TokenName("shop")))
    assert scope == TokenScope(("prod",), None)
