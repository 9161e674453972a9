"""Stores that are not Arcan's: what arcan.yaml says of them, and the error for all else."""

from __future__ import annotations

from typing import Any

import pytest

from arcan_gitops.errors import SeveralErrors
from arcan_gitops.names import Namespace, ObjectName
from arcan_gitops.overlay import App, Settings, StoreSettings, build_overlays, find_warnings
from arcan_gitops.overlay.ca import EmbeddedCa
from arcan_gitops.overlay.stores.store import InNamespace, Store
from arcan_gitops.yamlio import InvalidFile, read_documents
from tests.overlay.samples import PROD, SAMPLES
from tests.support.realm_files import CANARY

VAULT = "server: https://vault:8200, path: secret, auth: {tokenSecretRef: {name: t, key: k}}"
AWS = "region: eu-central-1"
INFISICAL = (
    "auth: {universalAuthCredentials: {clientId: {name: m, key: i}, clientSecret: {name: m, key: s}}},"
    " secretsScope: {projectSlug: p}"
)
WEBHOOK = 'url: "https://a.example.com/{{ .remoteRef.key }}"'
KINDS = {"vault": VAULT, "aws": AWS, "infisical": INFISICAL, "webhook": WEBHOOK}


def settings(text: str) -> Settings:
    return Settings.parse(text.encode(), "arcan.yaml", lambda name: EmbeddedCa(b"pem"))


def declared(kind: str, text: str) -> StoreSettings:
    return settings(f"stores:\n  {kind}:\n    mine: {{{text}}}\n").defaults


def provider(kind: str, text: str) -> Any:
    """`spec.provider.<kind>` of the store in a namespace."""
    using = declared(kind, text)
    backend = using.others[ObjectName("mine")].backend.at(PROD, using.eso_version)
    return Store(ObjectName("mine"), backend, InNamespace(Namespace("n"))).manifest()["spec"]["provider"][
        kind
    ]


def app(text: str = "") -> App:
    lines = "name: shop\nstore: mine\nnamespace: shop\nsecrets: [{name: s, keys: [{key: a, as: A}]}]\n"
    return App.parse((lines + text).encode(), "apps/shop.yaml")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_least_that_a_store_needs_is_little(kind: str):
    assert provider(kind, KINDS[kind])


@pytest.mark.parametrize(
    ("kind", "old", "new", "problem", "hint"),
    [
        ("vault", "path: secret, ", "", "'path' is missing", None),
        ("vault", "server:", "sever:", "unknown field 'sever'", "did you mean 'server'?"),
        ("vault", "https://vault:8200", "vault:8200", "'server' must start with https://", "https://host"),
        ("vault", "https://vault:8200", "'https://{{ .x }}'", "literal host", None),
        ("vault", "https://vault:8200", f"https://u:{CANARY}@vault:8200", "user or password", None),
        ("vault", "https://vault:8200", "https://vault:port", "no valid host and port", None),
        ("vault", "path: secret", "path: secret, version: v3", "version 'v3' is not known", "v1"),
        ("vault", "{name: t, key: k}", CANARY, "'tokenSecretRef' must be a mapping", "never the value itself"),
        ("vault", "{name: t, key: k}", f"{{name: t, key: k, value: {CANARY}}}", "unknown field 'value'", "name"),
        ("vault", "{name: t, key: k}", "{name: t}", "'key' is missing", None),
        ("vault", "auth: {tokenSecretRef: {name: t, key: k}}", "auth: {}", "exactly one way", "kubernetes"),
        ("vault", ", auth: {tokenSecretRef: {name: t, key: k}}", "", "'auth' is missing", "tokenSecretRef"),
        ("vault", "tokenSecretRef: {name: t, key: k}", "kubernetes: {}", "'role' is missing", None),
        ("vault", "tokenSecretRef: {name: t, key: k}", "appRole: {}", "either 'roleId' or 'roleRef'", None),
        ("aws", AWS, "service: SecretsManager", "'region' is missing", None),
        ("aws", "eu-central-1", "europe", "not an AWS region", "eu-central-1"),
        ("aws", AWS, f"{AWS}, service: SecretManager", "service 'SecretManager'", "'SecretsManager'"),
        ("aws", AWS, f"{AWS}, role: external-secrets", "not the ARN of an IAM role", "arn:aws:iam"),
        ("aws", AWS, f"{AWS}, authType: AWSCredentials", "unknown field 'authType'", "'auth'"),
        ("aws", AWS, f"{AWS}, secretSmEndpoint: https://x", "unknown field 'secretSmEndpoint'", "region"),
        ("aws", AWS, f"{AWS}, auth: {{secretRef: {{}}}}", "'accessKeyIDSecretRef' is missing", None),
        ("aws", AWS, f"{AWS}, auth: {{secretRef: {{accessKeyIDSecretRef: {CANARY}}}}}", "must be a mapping", None),
        ("infisical", "projectSlug: p", "project: p", "unknown field 'project'", "'projectSlug'"),
        ("infisical", "projectSlug: p", "projectSlug: p, secretsPath: a", "must start with '/'", None),
        ("infisical", "clientSecret: {name: m, key: s}", f"clientSecret: {CANARY}", "'clientSecret' must be", "never"),
        ("webhook", "{{ .remoteRef.key }}", "all", "every key would get the same value", ".remoteRef.key"),
        ("webhook", WEBHOOK, f"{WEBHOOK}, headers: [{{name: A, value: b}}]", "'headers' must be a mapping", "list"),
        ("webhook", WEBHOOK, f"{WEBHOOK}, headers: {{Authorization: {CANARY}}}", "in clear", "Secret"),
        ("webhook", WEBHOOK, f"{WEBHOOK}, headers: {{X-Api-Key: {CANARY}}}", "in clear", "Secret"),
        ("webhook", WEBHOOK, f"{WEBHOOK}, headers: {{Authorization: 'Bearer {CANARY}{{{{ .remoteRef.key }}}}'}}", "in clear", "Secret"),
        ("webhook", WEBHOOK, f"{WEBHOOK}, headers: {{X-Token: '{CANARY}{{{{ \"\" }}}}'}}", "in clear", "Secret"),
        ("webhook", WEBHOOK, f"{WEBHOOK}, headers: {{a b: c}}", "'a b' is not the name of an HTTP header", "X-Token"),
        ("webhook", WEBHOOK, f"{WEBHOOK}, headers: {{X-Access-Key: {CANARY}}}", "in clear", "Secret"),
        ("webhook", WEBHOOK, f"{WEBHOOK}, headers: {{A: '{{{{ .auth.x }}}}'}}", "uses .auth", "remoteRef"),
        ("webhook", WEBHOOK, f"{WEBHOOK}, result: {{jsonPath: '$.secrets[*]'}}", "selects a list", "[0]"),
        ("webhook", WEBHOOK, f"{WEBHOOK}, result: {{jsonPath: \"$['data']\"}}", "jsonPath does not parse: parsing error", "double quotes"),
        ("webhook", WEBHOOK, f"{WEBHOOK}, result: {{jsonPath: '$.data.a-b'}}", 'unexpected "-"', None),
        ("webhook", WEBHOOK, f"{WEBHOOK}, result: {{jsonPath: '$.data[{{{{ .remoteRef.property }}}}'}}", "jsonPath does not parse", None),
        ("webhook", WEBHOOK, f"{WEBHOOK}, headers: {{X-T: '{{{{ .remoteRef.key '}}", "the template 'headers.X-T' does not parse", None),
        ("webhook", WEBHOOK, f"{WEBHOOK}, body: '{{{{ .remoteRef.key | b64encode }}}}'", 'function "b64encode" not defined', "'b64enc'"),
        ("webhook", WEBHOOK, f"{WEBHOOK}, body: '{{{{ .remoteRef.keys }}}}'", "uses .remoteRef.keys: ESO would send '<no value>'", "'key'"),
        ("webhook", WEBHOOK, f"{WEBHOOK}, body: '{{{{ if .remoteRef.key }}}}'", "unexpected EOF", None),
        ("webhook", WEBHOOK, f"{WEBHOOK}, headers: {{X-T: '{{{{ 1 \"{CANARY}\".x }}}}'}}", "does not parse", None),
        ("webhook", WEBHOOK, f"{WEBHOOK}, timeout: 5", "'timeout' must be a text", None),
        ("webhook", WEBHOOK, f"{WEBHOOK}, method: PATCH", "method 'PATCH' is not known", None),
        ("webhook", "https://a.example.com", "http://a.example.com", "plain http without a port", "443"),
        ("webhook", "https://a.example.com", "HTTP://a.example.com", "plain http without a port", "443"),
        ("webhook", "https://a.example.com", " https://a.example.com", "'url' must start with https://", "https://"),
        ("webhook", WEBHOOK, f"{WEBHOOK}, secrets: [{{name: a-b, secretRef: {{name: s}}}}]", "a template can use", None),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_never_shows_a_credential(
    kind: str, old: str, new: str, problem: str, hint: str | None
):
    assert old in KINDS[kind]
    with pytest.raises(InvalidFile) as error:
        declared(kind, KINDS[kind].replace(old, new, 1))
    assert error.value.message.startswith("arcan.yaml:3: ")
    assert problem in error.value.message
    assert hint is None or (error.value.hint is not None and hint in error.value.hint)
    assert CANARY not in f"{error.value.message}{error.value.hint}"


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("stores: {valt: {}}", "unknown field 'valt'", "did you mean 'vault'?"),
        ("stores: {aws: {arcan: {region: eu-central-1}}}", "that of an Arcan store", None),
        ("stores: {aws: {A_b: {region: eu-central-1}}}", "not a valid Kubernetes object name", None),
        ("stores: {aws: {m: {region: eu-central-1}}, vault: {m: {" + VAULT + "}}}", "already the aws store", None),
        ("stores: {aws: {m: }}", "'m' must be a mapping", None),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_name_or_a_kind_is_said(text: str, problem: str, hint: str | None):
    with pytest.raises(InvalidFile) as error:
        settings(text)
    assert problem in error.value.message
    assert hint is None or hint in (error.value.hint or "")


def test_an_overlay_changes_fields_of_a_store_and_inherits_the_others():
    text = f"stores: {{vault: {{mine: {{{VAULT}}}}}}}\n"
    text += "overlays: {prod: {environment: prod, stores: {vault: {mine: {path: other, scope: cluster}}}}}\n"
    (overlay,) = settings(text).overlays(())
    store = overlay.settings.others[ObjectName("mine")]
    assert store.scope == "cluster"
    spec = store.backend.at(PROD, overlay.settings.eso_version).spec(None)["vault"]
    assert (spec["server"], spec["path"]) == ("https://vault:8200", "other")


def test_infisical_takes_the_environment_of_the_overlay_unless_one_is_named():
    assert provider("infisical", INFISICAL)["secretsScope"]["environmentSlug"] == "prod"
    named = INFISICAL.replace("projectSlug: p", "projectSlug: p, environmentSlug: live")
    assert provider("infisical", named)["secretsScope"]["environmentSlug"] == "live"


def test_a_cluster_store_names_the_namespace_of_every_reference():
    text = f"stores: {{scope: cluster, vault: {{mine: {{{VAULT}, ca: {{configMap: c}}}}}}}}"
    tree = build_overlays([app("overlays: [prod]\n")], settings(text), SAMPLES)
    (store,) = read_documents(tree["prod/_platform/cluster-stores.yaml"].encode(), "x")
    vault = store["spec"]["provider"]["vault"]
    assert vault["auth"]["tokenSecretRef"]["namespace"] == "external-secrets"
    assert vault["caProvider"]["namespace"] == "external-secrets"
    assert store["spec"]["conditions"] == [{"namespaces": ["shop"]}]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("vault", "prod/myapp", "/prod/myapp"),
        ("vault", "a.b-c/D_e", "prod//myapp"),
        ("vault", "x", "prod/../other"),
        ("aws", "prod/db+x=y@z", "a b"),
        ("aws", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-Ab1", "arn:aws:s3:::bucket"),
        ("infisical", "MY_KEY", "a/b"),
        ("infisical", "/backend/MY_KEY", "/back end/K"),
        ("webhook", "any/thing?x=ü", "a b"),
        ("webhook", "x", "a/../b"),
    ],
)
def test_keys_follow_the_grammar_of_the_kind(kind: str, good: str, bad: str):
    using = settings(f"stores: {{{kind}: {{mine: {{{KINDS[kind]}}}}}}}")
    for key, fine in ((good, True), (bad, False)):
        text = f"name: shop\nstore: mine\nnamespace: shop\nsecrets:\n- name: s\n  keys: [{{key: '{key}', as: A}}]\n"
        declared_app = App.parse(text.encode(), "apps/shop.yaml")
        if fine:
            assert build_overlays([declared_app], using, SAMPLES)
        else:
            with pytest.raises(SeveralErrors) as error:
                build_overlays([declared_app], using, SAMPLES)
            assert error.value.problems[0].message.startswith("apps/shop.yaml:6: ")


def test_a_store_that_no_overlay_has_is_named_with_the_nearest():
    using = settings(f"stores: {{vault: {{mind: {{{VAULT}}}}}}}")
    with pytest.raises(SeveralErrors) as error:
        build_overlays([app("overlays: [prod]\n")], using, SAMPLES)
    (problem,) = error.value.problems
    assert problem.message == "apps/shop.yaml:2: overlay 'prod' has no store 'mine'"
    assert "did you mean 'mind'?" in (problem.hint or "")


def test_an_arcan_store_is_not_named_but_chosen_by_realm_and_token():
    text = "name: shop\nstore: arcan\nnamespace: shop\nsecrets: [{name: s, keys: [A]}]\n"
    with pytest.raises(SeveralErrors) as error:
        build_overlays([App.parse(text.encode(), "apps/shop.yaml")], settings("{}"), SAMPLES)
    assert "leave 'store' out" in (error.value.problems[0].hint or "")


def test_an_app_that_reads_another_store_needs_no_realm_at_all():
    using = settings(f"stores: {{aws: {{mine: {{{AWS}}}}}}}\noverlays: {{a: {{environment: anything}}}}\n")
    assert set(build_overlays([app()], using, type(SAMPLES)({}))) == {
        "a/kustomization.yaml",
        "a/shop/kustomization.yaml",
        "a/shop/stores.yaml",
        "a/shop/apps/shop.yaml",
    }


def test_a_line_break_in_a_role_stays_inside_the_comment():
    role = VAULT.replace(
        "tokenSecretRef: {name: t, key: k}",
        'kubernetes: {role: "a\\nkind: Secret", serviceAccountRef: {name: x}}',
    )
    using = settings(f"stores:\n  vault:\n    mine: {{{role}}}\noverlays: {{prod: {{environment: prod}}}}\n")
    text = build_overlays([app()], using, SAMPLES)["prod/shop/stores.yaml"]
    comments = [line for line in text.splitlines() if "kind: Secret" in line and "role" in line]
    assert comments
    assert all(line.startswith("# ") for line in comments)
    (store,) = read_documents(text.encode(), "stores/shop.yaml")
    assert store["spec"]["provider"]["vault"]["auth"]["kubernetes"]["role"] == "a\nkind: Secret"


def test_only_the_stores_that_an_app_uses_are_written():
    using = settings(f"stores: {{aws: {{mine: {{{AWS}}}, other: {{{AWS}}}}}}}")
    tree = build_overlays([app("overlays: [prod]\n")], using, SAMPLES)
    names = [m["metadata"]["name"] for m in read_documents(tree["prod/shop/stores.yaml"].encode(), "x")]
    assert names == ["mine"]


@pytest.mark.parametrize("scheme", ["http", "HTTP", "Http"])
def test_plain_http_and_lasting_access_keys_are_warned_of_where_they_are_used(scheme: str):
    vault = VAULT.replace("https", scheme)
    using = settings(f"stores:\n  vault:\n    mine: {{{vault}}}\n    unused: {{{vault}}}\n")
    overlays = using.overlays(SAMPLES.environments())
    (warning,) = find_warnings([app()], overlays)
    assert warning.startswith("arcan.yaml:3: store 'mine' is reached over plain http")


@pytest.mark.parametrize(
    "path",
    [
        '$.data.fields[?@.name=="{{ .remoteRef.property }}"].value',
        '$.data.{{ or .remoteRef.property "password" }}',
        "$.list[{{ .remoteRef.property }}]",
        "{{ .remoteRef.property }}",
        "{{ if .remoteRef.property }}$.value{{ else }}$.data{{ end }}",
        '$["a-b"]',
        "$.list[?(@.n==1)]",
    ],
)
def test_a_json_path_that_can_parse_is_taken(path: str):
    assert provider("webhook", f"{WEBHOOK}, result: {{jsonPath: '{path}'}}")["result"] == {"jsonPath": path}


@pytest.mark.parametrize(
    ("store", "key", "problem"),
    [
        (
            WEBHOOK,
            "property: a",
            "'property' makes no difference: store 'mine' never uses .remoteRef.property",
        ),
        (WEBHOOK, "version: a", "'version' makes no difference"),
        (f"{WEBHOOK}, body: '{{{{ .remoteRef.property }}}}'", "property: a", None),
        (f"{WEBHOOK}, body: '{{{{ .remoteRef | toJson }}}}'", "property: a", None),
        (f"{WEBHOOK}, body: '{{{{ index .remoteRef \"property\" }}}}'", "property: a", None),
        (
            f"{WEBHOOK}, body: '{{{{ with .remoteRef }}}}{{{{ .property }}}}{{{{ end }}}}'",
            "property: a",
            None,
        ),
    ],
)
def test_a_property_that_the_store_never_asks_for_is_refused(store: str, key: str, problem: str | None):
    using = settings(
        f"overlays: {{prod: {{environment: prod}}}}\nstores: {{webhook: {{mine: {{{store}}}}}}}\n"
    )
    shop = App.parse(
        f"name: shop\nstore: mine\nnamespace: shop\nsecrets: [{{name: s, keys: [{{key: k, as: A, {key}}}]}}]\n".encode(),
        "apps/shop.yaml",
    )
    if problem is None:
        assert build_overlays([shop], using, SAMPLES)
        return
    with pytest.raises(SeveralErrors) as error:
        build_overlays([shop], using, SAMPLES)
    (found,) = error.value.problems
    assert found.message.startswith("apps/shop.yaml:4: ")
    assert problem in found.message


def test_what_a_store_asks_of_eso_depends_on_its_templates():
    text = f"{WEBHOOK}, headers: {{N: '{{{{ .remoteRef.namespace }}}}', H: '{{{{ \"ff\" | hexdec }}}}'}}"
    backend = declared("webhook", text).others[ObjectName("mine")].backend
    assert {str(feature.since) for feature in backend.features()} == {"0.20.0", "2.7.0"}
