"""The rules about ExternalSecrets, their templates, and which store they mean."""

from __future__ import annotations

import pytest

from tests.lint.writing import external_secret, findings, rules, store

CLUSTER = store(
    kind="ClusterSecretStore",
    ref="{name: api-token, namespace: external-secrets}",
    spec="  conditions: [{namespaces: [shop]}]",
)
DELETE = "  target: {deletionPolicy: Delete}"


def test_rules_that_need_the_store_are_silent_without_it() -> None:
    for text in (
        external_secret(spec=DELETE, keys=("a b",)),
        external_secret(content="  dataFrom: [{find: {name: {regexp: x}}}]"),
    ):
        assert rules(text) == []
        assert rules(text, store()) != []


def test_the_store_may_be_in_another_file() -> None:
    (finding,) = findings(**{"b/es.yaml": external_secret(spec=DELETE), "a/store.yaml": store()})
    assert finding.place is not None
    assert (finding.rule, finding.place.path) == ("ARC051", "b/es.yaml")


def test_of_two_stores_with_one_name_the_nearest_is_meant() -> None:
    """As in the overlays of two clusters, of which one moved to another store."""
    vault = """\
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: api}
spec: {provider: {vault: {server: "https://vault:8200"}}}
"""
    files = {
        "overlays/berlin/shop/stores.yaml": vault,
        "overlays/berlin/shop/apps/shop.yaml": external_secret(spec=DELETE),
        "overlays/oslo/shop/stores.yaml": store(),
        "overlays/oslo/shop/apps/shop.yaml": external_secret(spec=DELETE),
    }
    (finding,) = findings(**files)
    assert finding.place is not None
    assert finding.place.path == "overlays/oslo/shop/apps/shop.yaml"


def test_a_store_of_another_namespace_is_another_store() -> None:
    assert rules(store(namespace="a"), external_secret(namespace="b", spec=DELETE)) == []
    assert rules(store(namespace="a"), external_secret(namespace="a", spec=DELETE)) == ["ARC051"]
    assert rules(store(), external_secret(namespace="b", spec=DELETE)) == ["ARC051"]


def test_an_entry_may_name_its_own_store() -> None:
    content = "  dataFrom: [{sourceRef: {storeRef: {name: api}}, find: {name: {regexp: x}}}]"
    assert rules(store(), external_secret(ref="{name: other}", content=content)) == ["ARC050"]


def test_a_generator_has_no_store() -> None:
    content = "  dataFrom: [{sourceRef: {generatorRef: {kind: Password, name: a}}}]"
    assert rules(store(), external_secret(content=content)) == []


def test_a_cluster_external_secret_is_judged_by_what_it_makes() -> None:
    text = """\
---
apiVersion: external-secrets.io/v1
kind: ClusterExternalSecret
metadata: {name: everywhere}
spec:
  namespaceSelectors: [{matchLabels: {a: b}}]
  externalSecretSpec:
    refreshInterval: "0"
    secretStoreRef: {name: api, kind: ClusterSecretStore}
    target: {deletionPolicy: Merge}
    data: [{secretKey: a, remoteRef: {key: a}}]
"""
    assert rules(CLUSTER, text) == ["ARC053", "ARC051"]


@pytest.mark.parametrize(
    ("spec", "content", "expected"),
    [
        ("", "  data: []", "neither data nor dataFrom"),
        *(
            (
                f"  target: {{creationPolicy: {policy}, deletionPolicy: Delete}}",
                "",
                f"creationPolicy {policy}: ESO's",
            )
            for policy in ("Merge", "None", "CreateOrMerge")
        ),
        ("  target: {creationPolicy: None, deletionPolicy: Merge}", "", "creationPolicy None"),
        (
            "",
            "  data: [{secretKey: a, remoteRef: {key: a}}, {secretKey: a, remoteRef: {key: b}}]",
            "secretKey 'a' is given twice",
        ),
    ],
)
def test_what_eso_refuses(spec: str, content: str, expected: str) -> None:
    (finding,) = findings(external_secret(spec=spec, content=content))
    assert finding.rule == "ARC052"
    assert expected in finding.message
    assert finding.severity == "error"


def test_an_orphan_that_is_never_deleted_is_a_warning() -> None:
    (finding,) = findings(external_secret(spec="  target: {creationPolicy: Orphan, deletionPolicy: Delete}"))
    assert (finding.rule, finding.severity) == ("ARC052", "warning")
    assert "the Secret stays" in finding.message


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("  refreshInterval: 0s", True),
        ("  refreshInterval: '0'", True),
        ("  refreshInterval: 0", True),
        ("  refreshInterval: 0h0m0s\n  refreshPolicy: Periodic", True),
        ("  refreshInterval: 0s\n  refreshPolicy: CreatedOnce", False),
        ("  refreshInterval: 0s\n  refreshPolicy: OnChange", False),
        ("  refreshInterval: 1h", False),
        ("  refreshInterval: nonsense", False),
    ],
)
def test_an_interval_of_zero(spec: str, found: bool) -> None:
    assert rules(external_secret(spec=spec)) == (["ARC053"] if found else [])


@pytest.mark.parametrize(
    ("key", "words"),
    [("a b", "a space"), ("a/b", "%2F"), ("..", "dots alone"), ("", "nothing"), ("a-b.c_d", None)],
)
def test_a_key_in_a_path(key: str, words: str | None) -> None:
    found = findings(store(), external_secret(keys=(key,)))
    assert [f.rule for f in found] == (["ARC054"] if words else [])
    assert all(words is not None and words in f.message for f in found)


@pytest.mark.parametrize(
    "url",
    [
        "https://secrets.example.com/?key={{ .remoteRef.key }}",
        'https://secrets.example.com/{{ .remoteRef.key | replace "+" "%20" }}',
    ],
)
def test_a_key_that_is_mended_or_a_parameter_may_hold_anything(url: str) -> None:
    assert rules(store(url=url), external_secret(keys=("a b/c",))) == []


def test_a_ref_without_a_kind_means_a_secret_store() -> None:
    (finding,) = findings(CLUSTER, external_secret(namespace="shop"))
    assert finding.rule == "ARC055"
    assert rules(CLUSTER, store(), external_secret(namespace="shop")) == []
    assert rules(CLUSTER, external_secret(namespace="shop", ref="{name: api, kind: SecretStore}")) == []


@pytest.mark.parametrize(
    ("conditions", "allowed"),
    [
        ("[{namespaces: [a, shop]}]", True),
        ("[{namespaces: [a]}, {namespaces: [shop]}]", True),
        ("[{namespaces: [a]}]", False),
        ("[{namespaceRegexes: ['^sh.p$']}]", True),
        ("[{namespaceRegexes: ['^x$']}]", False),
        ("[{namespaceRegexes: ['^([$']}]", True),
        ("[{namespaceSelector: {matchLabels: {a: b}}}]", True),
    ],
)
def test_the_conditions_of_a_cluster_store(conditions: str, allowed: bool) -> None:
    text = store(kind="ClusterSecretStore", ref="{name: a, namespace: b}", spec=f"  conditions: {conditions}")
    user = external_secret(namespace="shop", ref="{name: api, kind: ClusterSecretStore}", keys=("A", "B"))
    found = rules(text, user)
    assert ("ARC056" in found) is not allowed
    assert set(found) <= {"ARC056", "ARC083"}


def template(text: str, key: str = "a") -> str:
    return external_secret(
        spec=f"  target: {{template: {{data: {{x: '{text}'}}}}}}",
        content=f"  data: [{{secretKey: {key}, remoteRef: {{key: a}}}}]",
    )


@pytest.mark.parametrize(
    ("text", "key", "found"),
    [
        ("{{ .db-password }}", "db-password", True),
        ('{{ index . "db-password" }}', "db-password", False),
        ("{{ .tls.crt }}", "tls.crt", True),
        ("{{ .tls.crt }}", "tls", False),
        ('{{ index . "tls.crt" | b64enc }}', "tls.crt", False),
        ("host-name.example.com {{ .a }}", "a", False),
        ('{{ .a | default "b.x-y" }}', "a", False),
        ("{{ .a -}} b", "a", False),
    ],
)
def test_names_in_templates(text: str, key: str, found: bool) -> None:
    assert rules(template(text, key)) == (["ARC057"] if found else [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{{ getSecretKey "a" "b" "c" }}', True),
        ('{{ env "HOME" }}', True),
        ("{{ .a }} env getSecretKey", False),
        ('{{ .a | default "env" }}', False),
    ],
)
def test_functions_in_templates(text: str, found: bool) -> None:
    assert rules(template(text)) == (["ARC058"] if found else [])


def test_a_key_may_be_called_like_a_function() -> None:
    assert rules(template("{{ .env }}", "env")) == []


@pytest.mark.parametrize(
    ("spec", "since"),
    [
        ("  refreshPolicy: OnChange", "0.16.0"),
        ("  target: {template: {metadata: {finalizers: [a/b]}}}", "0.20.0"),
        ("  target: {manifest: {apiVersion: v1, kind: ConfigMap}}", "1.0.0"),
        ("  syncWindows: {kind: allow}", "2.7.0"),
        ("  target: {creationPolicy: CreateOrMerge}", "2.8.0"),
    ],
)
def test_a_field_is_known_from_its_version_on(spec: str, since: str) -> None:
    major, minor, patch = (int(part) for part in since.split("."))
    before = f"{major}.{minor - 1}.99" if minor else f"{major - 1}.99.{patch}"
    assert "ARC012" not in rules(external_secret(spec=spec), eso=since)
    assert "ARC012" in rules(external_secret(spec=spec), eso=before)


def test_extract_from_a_templated_json_path_needs_0_18() -> None:
    text = store(path="{{ if .remoteRef.property }}$.value{{ else }}$.data{{ end }}")
    bulk = external_secret(content="  dataFrom: [{extract: {key: a}}]")
    assert "ARC012" in rules(text, bulk, eso="v0.17.0")
    assert "ARC012" not in rules(text, bulk, eso="v0.18.0")
    assert "ARC012" not in rules(text, external_secret(), eso="v0.17.0")
