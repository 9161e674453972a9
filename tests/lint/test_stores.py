"""The rules about stores, where the examples of their pages do not reach."""

from __future__ import annotations

import pytest

from tests.lint.writing import URL, external_secret, findings, rules, store


def test_a_store_with_nothing_wrong_is_clean() -> None:
    assert rules(store(), external_secret()) == []


@pytest.mark.parametrize(
    "host", ["{{ .auth.host }}", "{{ .auth.host }}:9797", "api.{{ .auth.zone }}.example.com"]
)
def test_a_host_is_templated_wherever_in_it_the_template_is(host: str) -> None:
    assert rules(store(url=f"https://{host}/v1/{{{{ .remoteRef.key }}}}")) == ["ARC020"]


def test_a_whole_url_from_a_secret_has_a_templated_host() -> None:
    assert rules(store(url="{{ .auth.url }}/{{ .remoteRef.key }}")) == ["ARC020"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://[fd00::1]:9797/{{ .remoteRef.key }}", ["ARC021", "ARC024"]),
        ("https://secrets.example.com/{{ .remoteRef.key }}", []),
        ("http://secrets.example.com/{{ .remoteRef.key }}", ["ARC021", "ARC023"]),
        ("http://secrets.example.com:80/{{ .remoteRef.key }}", ["ARC023"]),
        ("http://localhost:8080/{{ .remoteRef.key }}", []),
        ("HTTP://secrets.example.com:80/{{ .remoteRef.key }}", ["ARC023"]),
        ("secrets.example.com:9797/{{ .remoteRef.key }}", ["ARC021"]),
        ("/v1/{{ .remoteRef.key }}", ["ARC021"]),
        ("https://[", ["ARC021", "ARC024"]),
        ("https://secrets.example.com:8080 /v1?key={{ .remoteRef.key }}", ["ARC021"]),
        ('https://secrets.example.com/v1/{{ .remoteRef.key | replace "+" "%20" }}', []),
    ],
)
def test_what_eso_dials(url: str, expected: list[str]) -> None:
    assert rules(store(url=url)) == expected


@pytest.mark.parametrize(
    ("url", "severity"),
    [
        ("http://arcan.arcan.svc:9797", "warning"),
        ("http://arcan.arcan.svc.cluster.local:9797", "warning"),
        ("http://svc.example.com:9797", "error"),
        ("http://arcan:9797", "error"),
    ],
)
def test_plain_http_inside_the_cluster_is_a_warning(url: str, severity: str) -> None:
    (finding,) = findings(store(url=f"{url}/{{{{ .remoteRef.key }}}}"))
    assert (finding.rule, finding.severity) == ("ARC023", severity)


@pytest.mark.parametrize("host", ["arcan", "arcan.arcan.svc:9797", "arcan.internal:9797", "10.1.2.3:9797"])
def test_a_private_host_needs_a_ca(host: str) -> None:
    url = f"https://{host}/{{{{ .remoteRef.key }}}}"
    assert rules(store(url=url)) == ["ARC024"]
    assert rules(store(url=url, webhook="      caBundle: Zm9v")) == []


@pytest.mark.parametrize("host", ["example.com", "100.example.com", "internal.example.com"])
def test_a_public_host_needs_none(host: str) -> None:
    assert rules(store(url=f"https://{host}/{{{{ .remoteRef.key }}}}")) == []


@pytest.mark.parametrize("timeout", ["0s", "'0'", "0"])
def test_a_timeout_of_zero_is_none(timeout: str) -> None:
    assert rules(store(timeout=timeout)) == ["ARC030"]


def test_two_external_secrets_that_ask_for_one_key_each_get_one_value() -> None:
    (finding,) = findings(
        store(url="https://secrets.example.com/all"),
        external_secret(name="one", keys=("A",)),
        external_secret(name="two", keys=("B",)),
    )
    assert finding.rule == "ARC022"
    assert "all 2 that are asked for (A, B)" in finding.message


@pytest.mark.parametrize(
    "url",
    [
        "https://secrets.example.com/?key={{ .remoteRef.key }}",
        "https://secrets.example.com/{{ .remoteRef.property }}",
        "https://secrets.example.com/all{{ if .remoteRef.key }}/{{ .remoteRef.key }}{{ end }}",
    ],
)
def test_a_url_that_uses_what_was_asked_for_is_fine(url: str) -> None:
    assert rules(store(url=url), external_secret(keys=("A", "B"))) == []


def test_a_key_may_also_be_in_the_json_path_or_in_the_body() -> None:
    url = "https://secrets.example.com/all"
    keys = external_secret(keys=("A", "B"))
    assert rules(store(url=url, path='$["data"]["{{ .remoteRef.key }}"]'), keys) == []
    assert rules(store(url=url, webhook="      body: '{{ .remoteRef.key }}'"), keys) == []


def test_a_bulk_store_is_for_extract_and_one_key_is_not_too_many() -> None:
    bulk = store(url="https://secrets.example.com/all", path='$["data"]')
    assert rules(bulk, external_secret(content="  dataFrom: [{extract: {key: all}}]")) == []
    assert rules(bulk, external_secret(keys=("A",))) == []


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("X-Vault-Token: abc", True),
        ("x-api-key: abc", True),
        ("Cookie: session=abc", True),
        ("X-Whatever: Bearer abc", True),
        ("X-Whatever: 'basic abc'", True),
        ("Content-Type: application/json", False),
        ("X-Token: '{{ .auth.token }}'", False),
        ("X-Token: 'hunter2{{ \"\" }}'", True),
        ("X-Token: 'Bearer hunter2{{ \"\" }}'", True),
        ("X-Token: '{{ .auth.token }} hunter2'", True),
        ("X-Token: '{{ .auth.user }}:hunter2'", True),
        ("X-Whatever: 'Bearer hunter2{{ \"\" }}'", True),
        ("X-Token: 'Bearer {{ .auth.token | trim }}'", False),
        ("X-Token: 'Token token={{ .auth.token }}, id={{ .auth.id }}'", False),
        ("X-Token: '{{ .auth.user }}:{{ .auth.token }}'", False),
        ("X-Token: ''", False),
        ("Accept: application/vnd.api+json; profile=basic", False),
        ("X-Author: jane", False),
    ],
)
def test_which_headers_hold_a_credential(header: str, found: bool) -> None:
    text = store().replace("      headers:\n", f"      headers:\n        {header}\n")
    assert rules(text) == (["ARC032"] if found else [])


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://user:pass@example.com/{{ .remoteRef.key }}", True),
        ("https://example.com/{{ .remoteRef.key }}?token=abc", True),
        ("https://example.com/{{ .remoteRef.key }}?api_key=abc&env=prod", True),
        ("https://example.com/{{ .remoteRef.key }}?token={{ .auth.token }}", False),
        ("https://example.com/{{ .remoteRef.key }}?env=prod&secret=", False),
        ("https://example.com/{{ .remoteRef.key }}?env=token", False),
    ],
)
def test_a_credential_in_the_url(url: str, found: bool) -> None:
    assert rules(store(url=url)) == (["ARC032"] if found else [])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.secrets[*].value", ["ARC033"]),
        ("$.*", ["ARC033"]),
        ('$["a[*]"]', []),
        ("$.data.1x", ["ARC034"]),
        ("$.data[''ab'']", ["ARC034"]),
        ("{.value}", ["ARC034"]),
        (".value", ["ARC034"]),
        ("value", ["ARC034"]),
        ("$.value", []),
        ("$.data[0]", []),
        ('$.data[?(@.name == "a")].value', []),
        ("{{ if .remoteRef.property }}$.value{{ else }}$.data{{ end }}", []),
    ],
)
def test_json_paths(path: str, expected: list[str]) -> None:
    assert rules(store(path=path)) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ .token }}", "no entry of secrets[] is named 'token'"),
        ("{{ .aut.token }}", "no entry of secrets[] is named 'aut'"),
        ("{{ .remoteRef.Key }}", "there is no .remoteRef.Key"),
        ('{{ index .creds "a.b" }}', "no entry of secrets[] is named 'creds'"),
        ('{{ printf "%s .nothing" .auth.token }}', None),
        ('{{ print .auth.username ":" .auth.password | b64enc }}', None),
        ("{{ with .auth }}{{ .token }}{{ end }}", None),
        ("{{- .auth.token -}}", None),
        ("{{ (.auth).token }}", None),
        ("{{ $.auth.token }}", None),
        ("{{/* .nothing */}}{{ .auth.token }}", None),
    ],
)
def test_variables(template: str, expected: str | None) -> None:
    found = findings(store(authorization=f"Bearer {template}"))
    assert [f.rule for f in found] == (["ARC035"] if expected else [])
    assert all(expected is not None and expected in f.message for f in found)


def test_the_namespace_is_a_variable_since_0_20() -> None:
    text = store(authorization="Bearer {{ .auth.token }} {{ .remoteRef.namespace }}")
    assert rules(text) == []
    assert "ARC035" in rules(text, eso="v0.19.2")


PUSH_URL = "https://secrets.example.com/{{ .remoteRef.remoteKey }}?part={{ .remoteRef.secretKey }}"


def push_secret(*keys: str, kind: str = "PushSecret", ref: str = "{name: api}") -> str:
    entries = ", ".join(f"{{match: {{secretKey: a, remoteRef: {{remoteKey: {key}}}}}}}" for key in keys)
    spec = f"{{secretStoreRefs: [{ref}], selector: {{secret: {{name: a}}}}, data: [{entries}]}}"
    if kind == "ClusterPushSecret":
        spec = f"{{pushSecretSpec: {spec}}}"
    return (
        f"---\napiVersion: external-secrets.io/v1alpha1\nkind: {kind}\nmetadata: {{name: up}}\nspec: {spec}\n"
    )


def test_a_store_that_pushes_has_other_variables() -> None:
    body = "      body: '{{ .remoteRef.secretKey }} {{ .remoteRef.a }}'"
    assert rules(store(url=PUSH_URL)) == []  # nobody reads from it, and its variables are those of a push
    assert rules(store(url=PUSH_URL, webhook=body), push_secret("a")) == []
    assert rules(store(url=PUSH_URL, webhook=body), push_secret("a", kind="ClusterPushSecret")) == []
    assert rules(store(url=PUSH_URL, webhook=body + "\n      method: POST"), external_secret()) == []
    assert rules(store(url=PUSH_URL), external_secret()) == ["ARC035", "ARC035"]
    assert (
        rules(store(url=PUSH_URL), push_secret("a", ref="{name: other}"), external_secret()) == ["ARC035"] * 2
    )


@pytest.mark.parametrize("key", ["my.dotted-key", "db/password", "a-b", "1a"])
def test_a_push_without_a_body_of_a_key_that_is_no_name_to_go(key: str) -> None:
    (finding,) = findings(store(url=PUSH_URL), push_secret(key))
    assert (finding.rule, finding.severity) == ("ARC038", "error")
    body = "      body: '{{ index .remoteRef .remoteRef.remoteKey }}'"
    assert rules(store(url=PUSH_URL, webhook=body), push_secret(key)) == []


def test_several_pushes_without_a_body_or_a_key_cannot_be_told_apart() -> None:
    url = "https://secrets.example.com/x"
    assert rules(store(url=url), push_secret("a")) == []
    (finding,) = findings(store(url=url), push_secret("a", "b"))
    assert (finding.rule, finding.severity) == ("ARC038", "warning")


@pytest.mark.parametrize("kind", ["Webhook", "ClusterGenerator"])
def test_a_webhook_generator_is_judged_as_a_store_is(kind: str) -> None:
    spec = """\
  url: 'https://idp.team.svc/token?{{ .remoteRef.key }}'
  headers: {Authorization: 'Bearer {{ .login.token }}'}
  secrets: [{name: login, secretRef: {name: login}}]
  result: {jsonPath: "$['token']"}
"""
    if kind == "ClusterGenerator":
        spec = "  generator:\n    webhookSpec:\n" + "".join(f"    {line}\n" for line in spec.splitlines())
    text = f"---\napiVersion: generators.external-secrets.io/v1alpha1\nkind: {kind}\nmetadata: {{name: a}}\nspec:\n{spec}"
    secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {token: t}\n"
    assert sorted(rules(text, secret)) == ["ARC024", "ARC030", "ARC034", "ARC035", "ARC036"]


def test_the_host_of_a_generator_may_be_a_template_since_nothing_dials_it_before() -> None:
    text = """\
apiVersion: generators.external-secrets.io/v1alpha1
kind: Webhook
metadata: {name: a}
spec:
  url: 'https://{{ .login.host }}/token'
  timeout: 10s
  secrets: [{name: login, secretRef: {name: login}}]
  result: {jsonPath: $.token}
"""
    assert rules(text) == []


@pytest.mark.parametrize(
    "path",
    [
        "$.data.fields[?(@.name==''api'')].value",
        "$.fields[?(@.name==''{{ .remoteRef.property }}'')]",
        "$[''data'']",
        "$.{{ .remoteRef.property }}[?(@.a==''bc'')]",
    ],
)
def test_single_quotes_in_a_json_path(path: str) -> None:
    (finding,) = findings(store(path=path))
    assert finding.rule == "ARC034"
    assert "single quotes" in finding.message
    assert rules(store(path=path.replace("''", '"'))) == []


@pytest.mark.parametrize(
    ("url", "path", "found"),
    [
        (URL, '$["value"]', True),
        (URL + "?part={{ .remoteRef.property }}", '$["value"]', False),
        (URL, '$["{{ .remoteRef.property }}"]', False),
        (URL, '$["{{ index .remoteRef "property" }}"]', False),
    ],
)
def test_a_property_that_no_template_of_the_store_has(url: str, path: str, found: bool) -> None:
    content = "  data:" + "".join(
        f"\n  - {{secretKey: {name}, remoteRef: {{key: a, property: {name}}}}}" for name in ("x", "y")
    )
    assert rules(store(url=url, path=path), external_secret(content=content)) == ["ARC025"] * (2 * found)
    assert rules(external_secret(content=content)) == []  # another store


@pytest.mark.parametrize(
    "text",
    [
        "{{ .auth.token ",
        "{{ nosuch .auth.token }}",
        "{{ .auth-token }}",
        "{{ if .auth }}",
        '{{ template "x" }}',
    ],
)
def test_a_template_of_a_store_that_does_not_parse(text: str) -> None:
    assert "ARC039" in rules(store(authorization=f"Bearer {text}"))


SECRET = """\
---
apiVersion: v1
kind: Secret
metadata: {name: api-token, namespace: %s, labels: {%s}}
data: {token: dG9rZW4=}
"""
LABELLED = "external-secrets.io/type: webhook"


def test_a_key_that_the_secret_lacks_is_a_variable_that_does_not_exist() -> None:
    text = store(namespace="shop", authorization="Bearer {{ .auth.tokn }}")
    (finding,) = findings(SECRET % ("shop", LABELLED), text)
    assert finding.rule == "ARC035"
    assert "Secret api-token has no key 'tokn'" in finding.message
    assert finding.hint == "did you mean 'token'?"


def test_the_label_is_wanted_of_the_secret_that_is_meant() -> None:
    assert rules(SECRET % ("shop", ""), store(namespace="shop")) == ["ARC036"]
    assert rules(SECRET % ("shop", "external-secrets.io/type: other"), store(namespace="shop")) == ["ARC036"]
    assert rules(SECRET % ("shop", LABELLED), store(namespace="shop")) == []
    assert rules(SECRET % ("other", ""), store(namespace="shop")) == []
    assert rules(SECRET % ("shop", ""), store(namespace="shop"), eso="v0.9.20")[-1] != "ARC036"


def test_a_cluster_store_reads_the_secret_of_the_namespace_that_it_names() -> None:
    text = store(
        kind="ClusterSecretStore",
        ref="{name: api-token, namespace: external-secrets}",
        spec="  conditions: [{namespaces: [shop]}]",
    )
    assert rules(SECRET % ("shop", ""), text) == []
    assert rules(SECRET % ("external-secrets", ""), text) == ["ARC036"]


def test_the_secrets_of_ntlm_need_the_label_and_the_namespace_too() -> None:
    ntlm = """\
      auth:
        ntlm:
          usernameSecret: {name: api-token, key: user}
          passwordSecret: {name: api-token, key: password}"""
    assert rules(SECRET % ("shop", ""), store(namespace="shop", ref="{name: x}", webhook=ntlm)) == ["ARC036"]
    conditions = "  conditions: [{namespaces: [shop]}]"
    cluster = store(kind="ClusterSecretStore", ref="{name: x, namespace: y}", webhook=ntlm, spec=conditions)
    assert rules(cluster) == ["ARC041", "ARC041"]


def test_the_ca_of_a_cluster_store_needs_a_namespace_and_that_of_a_store_may_have_its_own() -> None:
    ca = "      caProvider: {type: ConfigMap, name: ca, key: ca.crt%s}"
    conditions = "  conditions: [{namespaces: [shop]}]"
    ref = "{name: api-token, namespace: eso}"
    assert rules(store(kind="ClusterSecretStore", ref=ref, spec=conditions, webhook=ca % "")) == ["ARC041"]
    assert rules(store(namespace="shop", webhook=ca % ", namespace: shop")) == []
    assert rules(store(namespace="shop", webhook=ca % ", namespace: eso")) == ["ARC042"]


@pytest.mark.parametrize(("regex", "expected"), [("^a$", []), ("^a", ["ARC043"]), ("a$", ["ARC043"])])
def test_a_regex_is_anchored_at_both_ends(regex: str, expected: list[str]) -> None:
    spec = f"  conditions: [{{namespaceRegexes: ['{regex}']}}]"
    assert rules(store(kind="ClusterSecretStore", ref="{name: a, namespace: b}", spec=spec)) == expected


def test_stores_of_other_providers_may_use_the_secret_of_the_caller() -> None:
    assert (
        rules("""\
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: vault}
spec:
  conditions: [{namespaces: [shop]}]
  provider:
    vault: {server: "https://vault:8200", auth: {tokenSecretRef: {name: token, key: token}}}
""")
        == []
    )


@pytest.mark.parametrize(
    ("kind", "version", "eso", "found"),
    [
        ("SecretStore", "v1", "v0.15.1", True),
        ("SecretStore", "v1beta1", "v0.15.1", False),
        ("SecretStore", "v1beta1", "v0.16.2", False),
        ("SecretStore", "v1beta1", "v0.17.0", True),
        ("SecretStore", "v1alpha1", "v0.15.1", False),
        ("SecretStore", "v1alpha1", "v0.16.0", True),
        ("ClusterExternalSecret", "v1alpha1", "v0.15.1", True),
        ("PushSecret", "v1alpha1", "v2.9.0", False),
        ("PushSecret", "v1", "v2.9.0", True),
    ],
)
def test_which_versions_are_served(kind: str, version: str, eso: str, found: bool) -> None:
    text = f"apiVersion: external-secrets.io/{version}\nkind: {kind}\nmetadata: {{name: a}}\n"
    assert ("ARC010" in rules(text, eso=eso)) == found


def test_a_misspelt_kind_is_named() -> None:
    (finding,) = findings("apiVersion: external-secrets.io/v1\nkind: ExternalSecrets\nmetadata: {name: a}\n")
    assert (finding.rule, finding.hint) == ("ARC011", "did you mean 'ExternalSecret'?")


def test_generators_are_another_group() -> None:
    assert (
        rules("apiVersion: generators.external-secrets.io/v1alpha1\nkind: Password\nmetadata: {name: a}\n")
        == []
    )
