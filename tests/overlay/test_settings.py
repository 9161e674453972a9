"""`arcan.yaml`: defaults, overrides by overlay, and what it refuses."""

from __future__ import annotations

import ast
import re
import warnings
from pathlib import Path

import pytest

from arcan_gitops.errors import OldName
from arcan_gitops.names import EnvironmentName, KeyName, Namespace, ObjectName
from arcan_gitops.overlay import Settings
from arcan_gitops.overlay.ca import BadCertificateAuthority, ConfigMapCa, EmbeddedCa, PublicCa, SecretCa
from arcan_gitops.overlay.settings import DEFAULTS, Scope
from arcan_gitops.yamlio import InvalidFile

ENVIRONMENTS = (EnvironmentName("staging"), EnvironmentName("prod"))


def read_ca(name: str) -> EmbeddedCa:
    """Stands for the disk: one file is there."""
    if name != "ca.crt":
        raise BadCertificateAuthority(f"{name}: cannot be read", hint="give tls/ca.crt")
    return EmbeddedCa(b"pem")


def parse(text: str) -> Settings:
    return Settings.parse(text.encode(), "kustomize/arcan.yaml", read_ca)


def test_the_defaults_are_those_of_the_first_documents():
    assert DEFAULTS.server_url == "https://arcan.internal:9797"
    assert DEFAULTS.ca == ConfigMapCa(ObjectName("arcan-ca"), KeyName("ca.crt"))
    assert (DEFAULTS.store_name, DEFAULTS.bulk_store_name) == ("arcan", "arcan-bulk")
    assert DEFAULTS.eso_namespace == "external-secrets"
    assert (DEFAULTS.token_secret.name, DEFAULTS.token_secret.key) == ("arcan-credentials", "token")
    assert DEFAULTS.refresh.interval == "1h0m0s"


def test_a_file_that_sets_one_thing_leaves_the_rest():
    assert parse("refreshInterval: 1h\n").defaults == DEFAULTS


def test_without_overlays_there_is_one_for_each_environment():
    overlays = parse("refreshInterval: 5m\n").overlays(ENVIRONMENTS)
    assert [(overlay.name, overlay.environment) for overlay in overlays] == [
        ("prod", "prod"),
        ("staging", "staging"),
    ]
    assert {overlay.settings.refresh.interval for overlay in overlays} == {"5m0s"}


def test_a_ca_may_be_a_secret_of_the_cluster():
    ca = parse("server: {ca: {secret: arcan-tls, namespace: arcan}}\n").defaults.ca
    assert ca == SecretCa(ObjectName("arcan-tls"), KeyName("ca.crt"), Namespace("arcan"))
    assert ca.store_fields(Namespace("eso")) == {
        "caProvider": {"type": "Secret", "name": "arcan-tls", "key": "ca.crt", "namespace": "arcan"}
    }
    assert "namespace" not in ca.store_fields(None)["caProvider"]


def test_declared_overlays_are_the_only_ones():
    overlays = parse("overlays: {berlin: {environment: prod}}\n").overlays(ENVIRONMENTS)
    assert [(overlay.name, overlay.environment) for overlay in overlays] == [("berlin", "prod")]


def test_an_overlay_overrides_what_it_names_and_inherits_the_rest():
    settings = parse("""\
server: {url: "https://a.example.com:9797", ca: {public: true}}
stores: {name: base, esoNamespace: eso}
tokenSecret: {key: t}
overlays:
  berlin:
    environment: prod
    server: {url: "https://b.example.com:443"}
    stores: {scope: cluster}
    tokenSecret: {name: berlin-token}
  oslo: {environment: prod, server: {ca: {file: ca.crt}}, refreshInterval: 10m}
""")
    berlin, oslo = (overlay.settings for overlay in settings.overlays(()))
    assert berlin.server_url == "https://b.example.com:443"
    assert berlin.ca == PublicCa()
    assert (berlin.scope, berlin.store_name, berlin.eso_namespace) == (Scope.CLUSTER, "base", "eso")
    assert (berlin.token_secret.name, berlin.token_secret.key) == ("berlin-token", "t")
    assert oslo.server_url == "https://a.example.com:9797"
    assert oslo.ca == EmbeddedCa(b"pem")
    assert (oslo.scope, oslo.refresh.interval) == (Scope.NAMESPACE, "10m0s")


@pytest.mark.parametrize(
    ("text", "line", "problem", "hint"),
    [
        ("servers: {}\n", 1, "unknown field 'servers'", "did you mean 'server'?"),
        ("server:\n  uri: x\n", 2, "unknown field 'uri'", "did you mean 'url'?"),
        ("server:\n  url: https://a.example.com\n", 2, "must name the port", "https://arcan.internal:9797"),
        ("server:\n  ca: {}\n  url: http://a.example.com:80\n", 3, "must start with https://", None),
        ("server:\n  ca:\n    file: leaf.crt\n", 3, "leaf.crt: cannot be read", "tls/ca.crt"),
        ("server:\n  ca: {file: ca.crt, key: ca.crt}\n", 2, "unknown field 'key'", None),
        ("server:\n  ca: {public: false}\n", 2, "'public' can only be true", None),
        ("server:\n  ca: {public: true, configMap: x}\n", 2, "exclude each other: choose one", None),
        ("server:\n  ca: {secret: x, configMap: x}\n", 2, "exclude each other: choose one", None),
        ("server:\n  ca: {namespace: x}\n", 2, "'namespace' goes with 'secret' only", None),
        ("server:\n  ca: {secret: x, namespace: X}\n", 2, "not a valid namespace", None),
        ("server:\n  ca: {configmap: x}\n", 2, "unknown field 'configmap'", "did you mean 'configMap'?"),
        ("stores: {scope: clustr}\n", 1, "scope 'clustr' is not known", "did you mean 'cluster'?"),
        ("stores: {name: Arcan}\n", 1, "not a valid Kubernetes object name", None),
        ("stores: {name: x, bulkName: x}\n", 1, "'name' and 'bulkName' are both 'x'", None),
        ("stores: {esoNamespace: a.b}\n", 1, "not a valid namespace", None),
        ("tokenSecret: {key: a/b}\n", 1, "not a valid key name", None),
        ("refreshInterval: 1y\n", 1, "'1y' is not a duration", "30m"),
        ("refreshInterval: 60\n", 1, "'refreshInterval' must be a text", None),
        ("overlays:\n  Prod: {environment: prod}\n", 2, "not a valid overlay name", None),
        ("overlays:\n  prod:\n", 2, "'prod' must be a mapping", None),
        ("overlays:\n  prod: {server: {}}\n", 2, "'environment' is missing", None),
        ("overlays:\n  prod: {enviroment: p}\n", 2, "unknown field 'enviroment'", "'environment'"),
        ("overlays:\n  prod: {environment: p, store: {}}\n", 2, "unknown field 'store'", "'stores'"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, line: int, problem: str, hint: str | None):
    with pytest.raises(InvalidFile) as error:
        parse(text)
    assert error.value.message.startswith(f"kustomize/arcan.yaml:{line}: ")
    assert problem in error.value.message
    assert hint is None or (error.value.hint is not None and hint in error.value.hint)


def test_an_old_name_of_a_setting_works_with_a_warning() -> None:
    text = (
        "eso-version: 1.3.2\noverlays:\n  a: {environment: p}\n  b: {environment: p, eso-version: 0.20.4}\n"
    )
    with pytest.warns(OldName) as warned:
        old = parse(text)
    assert [str(each.message) for each in warned] == [
        "kustomize/arcan.yaml:1: 'eso-version' is now called 'esoVersion': rename it",
        "kustomize/arcan.yaml:4: 'eso-version' is now called 'esoVersion': rename it",
    ]
    with warnings.catch_warnings(action="error"):
        assert parse(text.replace("eso-version", "esoVersion")) == old


def test_an_old_name_beside_the_new_one_is_refused() -> None:
    with pytest.raises(InvalidFile, match=r"arcan.yaml:2: 'eso-version' is the old name of 'esoVersion'"):
        parse("esoVersion: 1.3.2\neso-version: 1.3.2\n")


FIELD_READERS = ("text", "optional_text", "flag", "integer", "optional_texts", "optional_mapping", "items",
                 "mappings", "only", "is_mapping", "is_text")  # fmt: skip


def test_every_name_of_a_setting_is_in_camel_case() -> None:
    """In arcan.yaml, app files, realm.yaml and tokens.yaml: all that is read by `Fields`."""
    package = Path(__file__).resolve().parents[2] / "arcan_gitops"
    names = {
        argument.value
        for folder in ("overlay", "deploy", "realms", "access")
        for path in (package / folder).rglob("*.py")
        if path.name not in ("creation_rules.py", "sops_config.py")  # .sops.yaml has names of its own
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in FIELD_READERS
        for argument in call.args[: None if call.func.attr == "only" else 1]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
    assert len(names) > 60
    assert [name for name in sorted(names) if not re.fullmatch("[a-z]+([A-Z][a-z0-9]*)*", name)] == []
