"""What ESO's admission webhook refuses, and the templates and labels of Secrets."""

from __future__ import annotations

import pytest

from tests.lint.writing import external_secret, findings, rules, store

VAULT = """\
---
apiVersion: external-secrets.io/v1
kind: %s
metadata: {name: vault, namespace: shop}
spec:
%s
  provider:
    vault: {server: "https://vault", path: a, version: v2, auth: {%s}}
"""


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("{extract: {key: a}}", False),
        ("{find: {name: {regexp: a}}}", False),
        ("{sourceRef: {generatorRef: {kind: Password, name: a}}}", False),
        ("{sourceRef: {storeRef: {name: b}}, find: {name: {regexp: a}}}", False),
        ("{rewrite: [{regexp: {source: a, target: b}}]}", True),
        ("{extract: {key: a}, find: {name: {regexp: a}}}", True),
        ("{extract: {key: a}, sourceRef: {generatorRef: {kind: Password, name: a}}}", True),
    ],
)
def test_an_entry_of_data_from_reads_from_one_thing(entry: str, found: bool) -> None:
    assert rules(external_secret(content=f"  dataFrom: [{entry}]")) == (["ARC080"] if found else [])


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("type: bootstrap.kubernetes.io/token", True),
        ("type: kubernetes.io/service-account-token", False),
        (
            "type: kubernetes.io/service-account-token, "
            "metadata: {annotations: {kubernetes.io/service-account.name: a}}",
            True,
        ),
        (
            "type: kubernetes.io/service-account-token, templateFrom: [{target: annotations, literal: a}]",
            True,
        ),
        ("type: Opaque, metadata: {annotations: {kubernetes.io/service-account.name: a}}", False),
    ],
)
def test_a_template_of_a_kubernetes_token_is_refused_since_2_5(template: str, found: bool) -> None:
    text = external_secret(spec=f"  target: {{template: {{{template}}}}}")
    assert rules(text) == (["ARC081"] if found else [])
    assert "ARC081" not in rules(text, eso="v2.4.1")


def test_a_template_may_write_only_parts_of_a_secret_since_2_9() -> None:
    def text(target: str, manifest: str = "") -> str:
        return external_secret(
            spec=f"  target: {{{manifest}template: {{templateFrom: [{{target: {target}, literal: a}}]}}}}"
        )

    assert rules(text("type")) == ["ARC082"]
    assert rules(text("type"), eso="v2.8.0")[:1] != ["ARC082"]
    assert rules(text("data")) == rules(text("Labels")) == []
    assert rules(text("spec.x", "manifest: {apiVersion: v1, kind: ConfigMap}, ")) == []
    assert rules(text("type", "manifest: {apiVersion: v1, kind: Secret}, ")) == ["ARC082"]


@pytest.mark.parametrize(
    ("interval", "found"),
    [("5m", False), ("300", False), ("'300'", False), ("1d", True), ("soon", True), ("''", False)],
)
def test_the_refresh_interval_of_a_store_is_a_duration(interval: str, found: bool) -> None:
    text = VAULT % ("SecretStore", f"  refreshInterval: {interval}", "")
    assert rules(text) == (["ARC084"] if found else [])


@pytest.mark.parametrize(
    ("kind", "auth", "found"),
    [
        ("SecretStore", "tokenSecretRef: {name: a, key: b}", False),
        ("SecretStore", "tokenSecretRef: {name: a, key: b, namespace: shop}", False),
        ("SecretStore", "tokenSecretRef: {name: a, key: b, namespace: vault}", True),
        ("SecretStore", "kubernetes: {serviceAccountRef: {name: a, namespace: vault}}", True),
        ("ClusterSecretStore", "tokenSecretRef: {name: a, key: b, namespace: vault}", False),
    ],
)
def test_a_secret_store_refers_to_its_own_namespace(kind: str, auth: str, found: bool) -> None:
    assert ("ARC085" in rules(VAULT % (kind, "", auth))) is found


def test_a_webhook_store_ignores_the_namespace_of_a_reference() -> None:
    assert rules(store(namespace="shop", ref="{name: api-token, namespace: other}")) == []


# Templates


def template(text: str, content: str = "") -> str:
    return external_secret(spec=f"  target: {{template: {{data: {{x: '{text}'}}}}}}", content=content)


@pytest.mark.parametrize("text", ["{{ .k0 ", "{{ if .k0 }}a", "{{ .k0 | b64encode }}", "{{ end }}", "{{ }}"])
def test_a_template_that_does_not_parse(text: str) -> None:
    assert rules(template(text)) == ["ARC090"]


def test_the_hint_is_the_edit_that_mends_the_template() -> None:
    (finding,) = findings(template("{{ .k0 | b64encode }}"))
    assert finding.hint == "did you mean 'b64enc'?"
    (finding,) = findings(template("{{ if .k0 }}a"))
    assert finding.hint.startswith("add {{ end }}")


def test_a_template_that_includes_what_it_does_not_define() -> None:
    (finding,) = findings(template('{{ template "x" .k0 }}'))
    assert finding.rule == "ARC090"
    assert finding.message.endswith('includes the template "x", which it does not define: every sync fails')
    assert '{{ define "x" }}' in finding.hint


def test_a_typo_in_a_function_gets_the_words_of_go_and_no_text_of_the_template() -> None:
    (finding,) = findings(template("{{ .k0 | b64encode }}"))
    assert 'function "b64encode" not defined' in finding.message
    (finding,) = findings(template('{{ "canary-of-a-password" "canary-of-a-password'))
    assert "canary" not in f"{finding.message}{finding.hint}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{ .k0 | upper }}", 0),
        ('{{ $x := .k0 }}{{ $x }}{{ range $i, $c := splitList "," .k0 }}{{ $c }}{{ . }}{{ end }}', 0),
        ("{{ with .k0 }}{{ . }}{{ end }}{{ (.k0 | fromJson).user }}{{ .k0.user }}", 0),
        ('{{ index . "k0" }}', 0),
        ("{{ .k1 }}{{ .k1 }}", 1),
        ('{{ .k1 | default "a" }}', 1),
        ("{{ if .k0 }}{{ .k2 }}{{ else }}{{ .k3 }}{{ end }}", 2),
        ("no template", 0),
    ],
)
def test_a_variable_is_a_key_that_is_fetched(text: str, found: int) -> None:
    assert rules(template(text)) == ["ARC091"] * found
    assert rules(template(text, "  dataFrom: [{extract: {key: a}}]")) == []  # which may fetch anything


def test_templates_of_metadata_and_literals_are_looked_at() -> None:
    text = external_secret(
        spec="  target: {template: {metadata: {labels: {a: '{{ .x }}'}, annotations: {a: '{{ .y }}'}},"
        " templateFrom: [{literal: '{{ .z }}'}]}}"
    )
    assert rules(text) == ["ARC091"] * 3


@pytest.mark.parametrize(
    ("label", "template", "found"),
    [
        ("team", "", False),
        ("team", "template: {}", True),
        ("team", "template: {metadata: {annotations: {a: b}}}", True),
        ("team", "template: {metadata: {labels: {team: a}}}", False),
        ("team", "template: {templateFrom: [{target: Labels, literal: 'team: a'}]}", False),
        ("app.kubernetes.io/name", "template: {}", False),
        ("argocd.argoproj.io/instance", "template: {}", False),
        ("argocd.argoproj.io/secret-type", "template: {}", True),
        ("external-secrets.io/type", "template: {}", True),
    ],
)
def test_a_label_that_a_template_drops(label: str, template: str, found: bool) -> None:
    text = external_secret(spec=f"  target: {{{template}}}").replace(
        "{name: shop", f"{{labels: {{{label}: a}}, name: shop", 1
    )
    assert rules(text) == (["ARC092"] if found else [])
