"""What a kustomization among the manifests makes of them."""

from __future__ import annotations

import pytest

from tests.lint.writing import external_secret, rules, store

CLUSTER = store(
    kind="ClusterSecretStore",
    ref="{name: api-token, namespace: external-secrets}",
    spec="  conditions: [{namespaces: [shop]}]",
)
USER = external_secret(namespace="placeholder", ref="{name: api, kind: ClusterSecretStore}")


def test_a_namespace_that_a_kustomization_sets_is_not_judged_in_its_base() -> None:
    assert rules(**{"base/a.yaml": CLUSTER + USER}) == ["ARC056"]
    base = {"base/a.yaml": CLUSTER + USER, "base/kustomization.yaml": "resources: [a.yaml]\n"}
    assert rules(**base) == ["ARC056"]
    for completes in ("namespace: shop", "patches: [{path: p.yaml}]", "components: [../c]"):
        overlay = f"resources: [../base]\n{completes}\n"
        assert rules(**base, **{"overlay/kustomization.yaml": overlay}) == []
        own = {"base/kustomization.yaml": f"resources: [a.yaml]\n{completes}\n"}
        assert rules(**{**base, **own}) == []
    elsewhere = {"other/kustomization.yaml": "resources: [../unrelated]\nnamespace: shop\n"}
    assert rules(**base, **elsewhere) == ["ARC056"]


@pytest.mark.parametrize("field", ["namePrefix: prod-", "nameSuffix: -prod"])
def test_a_store_that_a_kustomization_renames(field: str) -> None:
    files = {
        "base/store.yaml": store(),
        "base/es.yaml": external_secret(),
        "base/kustomization.yaml": "resources: [store.yaml, es.yaml]\n",
    }
    assert rules(**files) == []
    overlay = f"resources: [../base]\n{field}\n"
    assert rules(**files, **{"prod/kustomization.yaml": overlay}) == ["ARC045"]
    assert rules(**files, **{"prod/kustomization.yaml": overlay + "configurations: [names.yaml]\n"}) == []


def test_a_store_that_is_renamed_in_what_kustomize_has_built() -> None:
    assert rules(store(name="prod-api") + external_secret(name="prod-shop")) == ["ARC045"]
    assert rules(store(name="api-prod") + external_secret(name="shop-prod")) == ["ARC045"]
    for right in (
        store(name="prod-api") + external_secret(name="shop"),  # not renamed itself: another store
        store(name="prod-api") + external_secret(name="prod-shop", ref="{name: prod-api}"),
        store(name="prod-api") + store() + external_secret(name="prod-shop"),
        store(name="prodapi") + external_secret(name="prodshop"),
    ):
        assert rules(right) == []
    assert rules(**{"a/x.yaml": store(name="prod-api"), "b/x.yaml": external_secret(name="prod-shop")}) == []


def test_a_secret_that_kustomize_renames_or_gives_a_hash() -> None:
    secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: prod-api-token, labels: {external-secrets.io/type: webhook}}\n"
    assert rules(store(name="prod-api") + secret) == ["ARC045"]
    files = {
        "a/store.yaml": store(),
        "a/kustomization.yaml": "resources: [store.yaml]\nsecretGenerator: [{name: api-token}]\n",
    }
    assert rules(**files) == ["ARC045"]
    files["a/kustomization.yaml"] += "generatorOptions: {disableNameSuffixHash: true}\n"
    assert rules(**files) == []


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ("", "", 2),
        ("", "creationPolicy: Merge", 2),
        ("creationPolicy: Merge", "creationPolicy: Merge", 0),
        ("creationPolicy: Orphan", "creationPolicy: Merge", 0),
        ("", "creationPolicy: None", 0),
        ("", "manifest: {apiVersion: v1, kind: ConfigMap}", 0),
    ],
)
def test_two_external_secrets_write_one_secret(first: str, second: str, found: int) -> None:
    texts = [
        external_secret(name=n, spec=f"  target: {{name: one, {p}}}")
        for n, p in (("a", first), ("b", second))
    ]
    assert rules(*texts) == ["ARC059"] * found


def test_the_same_object_of_two_clusters_is_no_conflict() -> None:
    one, two = (
        external_secret(name=name, namespace="shop", spec="  target: {name: one}") for name in ("a", "b")
    )
    assert rules(**{"berlin/a.yaml": one, "oslo/a.yaml": one}) == []
    assert rules(**{"berlin/a.yaml": one, "oslo/b.yaml": two}) == []
    assert rules(**{"berlin/a.yaml": one, "berlin/b.yaml": two}) == ["ARC059"] * 2
    assert rules(one + two.replace("namespace: shop", "namespace: other")) == []
