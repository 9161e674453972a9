"""What a declared Kubernetes Secret may be, which ESO version can give it, and the error for all else."""

from __future__ import annotations

from typing import Any

import pytest

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.eso_version import NEWEST, EsoVersion
from arcan_gitops.names import KeyName
from arcan_gitops.overlay import App, Catalogue, Contents, Settings, build_overlays, find_warnings
from arcan_gitops.overlay.duration import Duration
from arcan_gitops.overlay.refresh import Spread
from arcan_gitops.validate.schemaset import eso_versions
from arcan_gitops.yamlio import InvalidFile, read_documents
from tests.overlay.samples import PROD, PRODUCTION, SAMPLES, contents

HEAD = "name: shop\nrealm: production\ntoken: shop\nnamespace: shop\n"
STORE = "name: shop\nstore: mine\nnamespace: shop\n"
PROD_ONLY = "overlays: {prod: {environment: prod}}\n"


def app(secret: str, head: str = HEAD) -> App:
    """The app with one secret, a flow mapping in line 5 (line 4 with a store)."""
    return App.parse(f"{head}secrets: [{{name: s, {secret}}}]\n".encode(), "apps/shop.yaml")


def settings(text: str = "") -> Settings:
    return Settings.parse((PROD_ONLY + text).encode(), "arcan.yaml", pytest.fail)


def manifests(*apps: App, using: str = "", catalogue: Catalogue = SAMPLES) -> dict[str, Any]:
    """What is generated for prod, but for the stores, by kind."""
    tree = build_overlays(apps, settings(using), catalogue)
    paths = [path for path in tree if path.endswith("/apps/shop.yaml")]
    documents = [document for path in paths for document in read_documents(tree[path].encode(), path)]
    return {document["kind"]: document for document in documents}


def problem(*apps: App, using: str) -> ArcanError:
    with pytest.raises(SeveralErrors) as error:
        build_overlays(apps, settings(using), SAMPLES)
    (found,) = error.value.problems
    return found


# --- what it may not be


@pytest.mark.parametrize(
    ("secret", "message", "hint"),
    [
        ("keys: [A], type: kubernetes.io/tls", "needs the key 'tls.crt'", "as: tls.crt"),
        ("keys: [{key: A, as: tls.crt}], type: kubernetes.io/tls", "needs the key 'tls.key'", "as: tls.key"),
        ("keys: [{key: A, as: tls_key}, {key: B, as: tls.crt}], type: kubernetes.io/tls", "'tls.key'", "'tls_key'?"),
        ("keys: [A], type: tls", "type 'tls' is not known", "kubernetes.io/tls"),
        ("keys: [A], type: kubernetes.io/dockerconfigjson", "needs the key '.dockerconfigjson'", None),
        ("keys: [A], type: kubernetes.io/dockerconfigjson, registry: ghcr.io", "the key 'username'", None),
        ("keys: [A], registry: ghcr.io", "'registry' goes with type", "write type"),
        ("keys: [A], type: Opaque, registry: a b", "'registry' goes with type", None),
        ("keys: [A], type: kubernetes.io/basic-auth", "needs the key 'username'", None),
        ("keys: [A], deletionPolicy: Delete, creationPolicy: Orphan", "needs creationPolicy Owner", "it owns"),
        ("keys: [A], deletionPolicy: Merge, creationPolicy: None", "cannot go with", "take keys out of"),
        ("keys: [A], deletionPolicy: delete", "deletionPolicy 'delete' is not known", "'Delete'"),
        ("keys: [A], refreshPolicy: Never", "refreshPolicy 'Never' is not known", "Periodic"),
        ("keys: [A], refreshInterval: 1y", "is not a duration", "30m"),
        ("keys: [A], rewrite: [{source: a, target: b}]", "'rewrite' is for", "as:"),
        ("all: true, rewrite: [{source: a}]", "'target' is missing", None),
        ("all: true, rewrite: [{source: '(', target: b}]", "'(' is not a regular expression in Go's", "ESO would refuse"),
        ("all: true, rewrite: [{source: '(?=a)b', target: b}]", "is not a regular expression", "lookaround"),
        ("all: true, rewrite: [{transform: a, source: b}]", "either {source, target} or {transform}", None),
        ("extract: [a]", "'extract' is for an app with a store", "all: true"),
        ("keys: [{key: A, property: b}]", "'property' is for an app with a store", "one text"),
        ("keys: [{key: A, version: b}]", "'version' is for an app with a store", "generated"),
        ("keys: [{key: A, decode: base64}]", "decode 'base64' is not known", "'Base64'"),
        ("keys: [A], template: {dat: {}}", "unknown field 'dat'", "'data'"),
        ("keys: [A], template: {data: {a/b: c}}", "not a valid key name", None),
        ("keys: [A], labels: {a: b c}", "the value of label 'a' is not valid", "63"),
        ("keys: [A], labels: {a/b/c: d}", "not a valid name in 'labels'", "example.com/name"),
        ("keys: [A], annotations: {argocd.argoproj.io/sync-wave: '5'}", "is not an app's to write", "leave it out"),
        ("keys: [A], annotations: {config.kubernetes.io/local-config: 'true'}", "is not an app's to write", None),
        ("keys: [A], template: {labels: {argocd.argoproj.io/secret-type: cluster}}", "is not an app's to write", None),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(secret: str, message: str, hint: str | None):
    with pytest.raises(InvalidFile) as error:
        app(secret)
    assert error.value.message.startswith("apps/shop.yaml:5: ")
    assert message in error.value.message
    assert hint is None or hint in (error.value.hint or "")


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ("all: true", "'all' asks for all of a realm"),
        ("keys: [prod/myapp]", "cannot be a key of a Kubernetes Secret"),
        ("keys: [{key: prod/myapp, property: a b}]", "cannot be a key of a Kubernetes Secret"),
        ("extract: []", "asks for nothing"),
        ("extract: [{key: a, as: b}]", "unknown field 'as'"),
    ],
)
def test_a_mistake_in_an_app_with_a_store_is_named_too(secret: str, message: str):
    with pytest.raises(InvalidFile) as error:
        app(secret, STORE)
    assert error.value.message.startswith("apps/shop.yaml:4: ")
    assert message in error.value.message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("store: mine", "an app with a 'store' has no 'realm'"),
        ("namespaces: [a]", "both 'namespace' and 'namespaces'"),
        ("team: {}", "'team' names nobody"),
        ("team: {group: [a]}", "unknown field 'group'"),
        ("team: {groups: ['system:authenticated']}", "'system:authenticated' is not the name of a team"),
        ('team: {users: ["a\\nb"]}', "is not the name of a team"),
        ("consistency: eventual", "consistency 'eventual' is not known"),
    ],
)
def test_a_mistake_in_the_app_itself_is_named(line: str, message: str):
    with pytest.raises(InvalidFile, match=message):
        app("keys: [A]", f"{HEAD}{line}\n")


def test_a_version_for_another_store_is_not_arcans_consistency():
    with pytest.raises(InvalidFile, match="'consistency' is for an app that reads a realm"):
        app("keys: [A]", f"{STORE}consistency: latest\n")


# --- which version each entry names


REWRITTEN = "all: true, rewrite: [{source: a, target: b}]"


def versions(*, state: int = 1, key: str = "DATABASE_URL", head: str = HEAD) -> dict[str, Any]:
    """`keys`, and one read of everything, of the catalogue in which one key has another version."""
    held = SAMPLES.contents[PRODUCTION, PROD]
    new = {**held.keys, KeyName(key): contents(key, state=state).keys[KeyName(key)]}
    document = held.version if state == 1 else contents(*new, state=state).version
    catalogue = Catalogue({**SAMPLES.contents, (PRODUCTION, PROD): Contents(new, document)}, SAMPLES.tokens)
    single = manifests(app("keys: [DATABASE_URL, REDIS_URL]", head), catalogue=catalogue)
    bulk = manifests(app(REWRITTEN, head), catalogue=catalogue)
    return {
        **{
            entry["secretKey"]: entry["remoteRef"].get("version")
            for entry in single["ExternalSecret"]["spec"]["data"]
        },
        "all": bulk["ExternalSecret"]["spec"]["dataFrom"][0]["extract"].get("version"),
    }


def test_each_entry_names_the_version_of_its_key_and_a_bulk_entry_that_of_the_document():
    held = SAMPLES.contents[PRODUCTION, PROD]
    assert versions() == {
        "DATABASE_URL": held.keys[KeyName("DATABASE_URL")],
        "REDIS_URL": held.keys[KeyName("REDIS_URL")],
        "all": held.version,
    }


def test_a_change_touches_its_own_entry_and_bulk_entries_only():
    before, after = versions(), versions(state=2)
    assert {name for name in before if before[name] != after[name]} == {"DATABASE_URL", "all"}
    before, after = versions(key="GREETING"), versions(key="GREETING", state=2)
    assert {name for name in before if before[name] != after[name]} == {"all"}


@pytest.mark.parametrize("unified", [False, True])
def test_all_is_an_entry_for_each_key_with_its_version(unified: bool):
    """Nothing but Git can take a key out of the Secret, and no line of it is touched by every change."""
    held = SAMPLES.contents[PRODUCTION, PROD]
    using = "stores: {unified: true}\n" if unified else ""
    spec = manifests(app("all: true"), using=using)["ExternalSecret"]["spec"]
    assert "dataFrom" not in spec
    asked = {entry["secretKey"]: entry["remoteRef"] for entry in spec["data"]}
    assert list(asked) == sorted(held.keys)
    for key, version in held.keys.items():
        key_of = {"key": "production", "property": key} if unified else {"key": key}
        assert asked[key].items() >= {**key_of, "version": version}.items()
    assert spec["secretStoreRef"]["name"] == "arcan"


@pytest.mark.parametrize("line", ["all: true, rewrite: [{source: a, target: b}]", "all: true"])
def test_all_stays_one_read_where_keys_are_renamed_or_no_version_is_pinned(line: str):
    head = HEAD if "rewrite" in line else f"{HEAD}consistency: latest\n"
    spec = manifests(app(line, head))["ExternalSecret"]["spec"]
    assert "data" not in spec
    assert spec["secretStoreRef"]["name"] == "arcan-bulk"


def test_all_stays_one_read_for_an_app_elsewhere():
    alone = settings().for_an_app_elsewhere()
    made = [
        each
        for text in build_overlays([app("all: true")], alone, SAMPLES).values()
        for each in read_documents(text.encode(), "made")
    ]
    [found] = [each for each in made if each["kind"] == "ExternalSecret"]
    assert "dataFrom" in found["spec"]


def test_latest_names_no_version():
    assert set(versions(head=f"{HEAD}consistency: latest\n").values()) == {None}


# --- one store for both


def test_a_unified_store_takes_the_key_as_a_property():
    made = manifests(app("keys: [DATABASE_URL]"), using="stores: {unified: true}\n")
    spec = made["ExternalSecret"]["spec"]
    assert spec["secretStoreRef"]["name"] == "arcan"
    ref = spec["data"][0]["remoteRef"]
    assert (ref["key"], ref["property"]) == ("production", "DATABASE_URL")
    tree = build_overlays([app("all: true")], settings("stores: {unified: true}\n"), SAMPLES)
    stores = read_documents(tree["prod/shop/stores.yaml"].encode(), "x")
    assert [store["metadata"]["name"] for store in stores] == ["arcan"]


# --- the version of ESO


def test_the_newest_version_is_the_one_whose_schemas_are_kept():
    newest = eso_versions()[-1]
    assert EsoVersion.parse(newest) == NEWEST


@pytest.mark.parametrize(("text", "shown"), [("0.16", "0.16.0"), ("v2.9.0", "2.9.0"), ("3.0.1", "3.0.1")])
def test_a_version_is_read(text: str, shown: str):
    assert str(EsoVersion.parse(text)) == shown


@pytest.mark.parametrize("text", ["'0.15.1'", "2.9.0-rc.1", "latest", "'2'", "2.9", "'2.9.x'"])
def test_what_is_no_version_is_refused_with_its_line(text: str):
    with pytest.raises(InvalidFile) as error:
        settings(f"esoVersion: {text}\n")
    assert error.value.message.startswith("arcan.yaml:2: ")


def test_a_unified_store_needs_0_18():
    found = problem(app("all: true"), using="stores: {unified: true}\nesoVersion: '0.17'\n")
    assert found.message == (
        "arcan.yaml:1: 'unified': one store for single keys and for all keys needs ESO 0.18.0, "
        "and overlay 'prod' is for 0.17.0"
    )
    assert "esoVersion: 0.18.0" in (found.hint or "")


def test_create_or_merge_needs_2_8():
    found = problem(app("all: true, creationPolicy: CreateOrMerge"), using="esoVersion: 2.7.3\n")
    assert found.message.startswith("apps/shop.yaml:5: creationPolicy CreateOrMerge needs ESO 2.8.0")


def test_the_ca_of_infisical_needs_1_3():
    store = (
        "esoVersion: '1.2'\nstores: {infisical: {mine: {ca: {configMap: c}, secretsScope: {projectSlug: p}, "
        "auth: {universalAuthCredentials: {clientId: {name: m, key: i}, clientSecret: {name: m, key: s}}}}}}\n"
    )
    found = problem(app("keys: [A]", STORE), using=store)
    assert found.message.startswith("arcan.yaml:3: 'ca' of an Infisical store needs ESO 1.3.0")


@pytest.mark.parametrize(("version", "sent"), [("0.19", False), ("0.20", True)])
def test_the_namespace_is_sent_by_versions_that_know_it(version: str, sent: bool):
    tree = build_overlays([app("all: true")], settings(f"esoVersion: '{version}'\n"), SAMPLES)
    assert ("X-Kubernetes-Namespace" in tree["prod/shop/stores.yaml"]) is sent


# --- refreshing


def test_the_interval_of_a_secret_goes_before_that_of_its_app_and_of_the_overlay():
    for secret, head, interval in (
        ("all: true", HEAD, "10m0s"),
        ("all: true", f"{HEAD}refreshInterval: 20m\n", "20m0s"),
        ("all: true, refreshInterval: 30m", f"{HEAD}refreshInterval: 20m\n", "30m0s"),
    ):
        made = manifests(app(secret, head), using="refreshInterval: 10m\n")
        assert made["ExternalSecret"]["spec"]["refreshInterval"] == interval


def test_an_interval_is_spread_by_name_only_when_asked_for():
    intervals = [
        Spread.parse("10%").of(Duration("1h0m0s"), f"shop/{number}").seconds for number in range(500)
    ]
    assert min(intervals) >= 3240
    assert max(intervals) <= 3960
    assert len(set(intervals)) > 250
    plain = manifests(app("all: true"))["ExternalSecret"]["spec"]["refreshInterval"]
    assert plain == "1h0m0s"


@pytest.mark.parametrize("text", ["10", "0%", "51%", "ten", "-5%"])
def test_what_is_no_spread_is_refused(text: str):
    with pytest.raises(InvalidFile, match=r"is not a spread|must be a text"):
        settings(f"refreshSpread: {text}\n")


# --- many namespaces, teams, warnings


def test_an_external_secret_may_have_a_name_of_its_own():
    """So that one that is there already, and owns its Secret, can be taken over."""
    made = manifests(app("externalSecret: before, all: true"))["ExternalSecret"]
    assert (made["metadata"]["name"], made["spec"]["target"]["name"]) == ("before", "s")
    head = HEAD.replace("namespace: shop", "namespaces: [a]")
    using = "stores: {scope: cluster}\n"
    made = manifests(app("externalSecret: before, all: true", head), using=using)["ClusterExternalSecret"]
    assert made["metadata"]["name"] == made["spec"]["externalSecretName"] == "before"
    assert made["spec"]["externalSecretSpec"]["target"]["name"] == "s"


def test_many_namespaces_need_a_cluster_wide_store():
    head = HEAD.replace("namespace: shop", "namespaces: [a, b]")
    found = problem(app("all: true", head), using="")
    assert found.message.startswith("apps/shop.yaml:4: many namespaces need a cluster-wide store")
    assert "scope: cluster" in (found.hint or "")


def test_a_store_for_many_namespaces_is_open_to_them():
    head = HEAD.replace("namespace: shop", "namespaces: {matchLabels: {team: shop}}")
    tree = build_overlays([app("all: true", head)], settings("stores: {scope: cluster}\n"), SAMPLES)
    (store,) = read_documents(tree["prod/_platform/cluster-stores.yaml"].encode(), "x")
    assert store["spec"]["conditions"] == [{"namespaceSelector": {"matchLabels": {"team": "shop"}}}]


def test_a_team_may_make_external_secrets_and_nothing_else():
    made = manifests(app("all: true", f"{HEAD}team: {{groups: [devs]}}\n"))
    (rule,) = made["Role"]["rules"]
    assert (rule["apiGroups"], rule["resources"]) == (["external-secrets.io"], ["externalsecrets"])
    assert "*" not in rule["verbs"]
    assert made["RoleBinding"]["roleRef"]["name"] == made["Role"]["metadata"]["name"]
    (subject,) = made["RoleBinding"]["subjects"]
    assert (subject["kind"], subject["name"]) == ("Group", "devs")


def test_a_label_does_not_stand_for_a_name_that_nobody_reviews():
    head = HEAD.replace("namespace: shop", "namespaces: {matchLabels: {kubernetes.io/metadata.name: argocd}}")
    with pytest.raises(InvalidFile, match="is the name of a namespace"):
        app("all: true", head)


def test_a_team_beside_the_token_of_its_store_is_warned_of():
    """ESO reads every Secret of the namespace for it, by `templateFrom` say."""
    theirs = app("all: true", f"{HEAD}team: {{groups: [devs]}}\n")
    (warning,) = find_warnings([theirs], settings().overlays(()))
    assert "the token of the store is in namespace 'shop'" in warning
    assert find_warnings([theirs], settings("stores: {scope: cluster}\n").overlays(())) == ()


def test_deletion_is_warned_of_and_nothing_else_is():
    overlays = settings().overlays(())
    assert find_warnings([app("all: true")], overlays) == ()
    (warning,) = find_warnings([app("all: true, deletionPolicy: Delete")], overlays)
    assert warning.startswith("apps/shop.yaml:5: Secret 's' is deleted when")


def test_nothing_is_ever_pushed():
    tree = build_overlays([app("all: true")], settings(), SAMPLES)
    assert "PushSecret" not in "".join(tree.values())
