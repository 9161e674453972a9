"""The other outputs: manifests that are valid, and Terraform in which every value is a sensitive variable."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from arcan_gitops.bootstrap.outputs import OUTPUTS
from arcan_gitops.bootstrap.outputs.manifests import PLACEHOLDER, as_manifests
from arcan_gitops.bootstrap.outputs.terraform import as_terraform
from arcan_gitops.cli import arcan
from arcan_gitops.validate.check import judge
from arcan_gitops.validate.embedded import Embedded
from arcan_gitops.validate.manifests import read_manifests
from arcan_gitops.validate.schemaset import SchemaSet, eso_versions
from arcan_gitops.yamlio import read_documents
from tests.bootstrap.conftest import SETTINGS
from tests.bootstrap.test_requirements import needed


def test_the_manifests_are_valid_and_hold_placeholders_alone() -> None:
    text = as_manifests(needed(), None)
    results = judge(read_manifests(text.encode(), "stdout"), Embedded(), SchemaSet(eso_versions()[-1]))
    assert {result.status.value for result in results} == {"valid"}
    objects = read_documents(text.encode(), "stdout")
    kinds = [each["kind"] for each in objects]
    assert kinds == sorted(kinds, key=["Namespace", "Secret", "ConfigMap"].index)
    values = [
        value
        for each in objects
        for field in ("stringData", "data")
        for value in each.get(field, {}).values()
    ]
    assert set(values) == {PLACEHOLDER}
    made = [each["metadata"]["name"] for each in objects if each["kind"] == "Namespace"]
    assert made == list(needed().namespaces)
    assert {each["metadata"]["namespace"] for each in objects if each["kind"] != "Namespace"} <= set(made)


def test_the_manifests_say_how_a_token_and_the_certificate_are_made() -> None:
    text = as_manifests(needed(), "eu-1")
    create = "arcan token create --realm=production --name=mailer --policy=read-only"
    assert f"made by: {create} --env=prod --key=URL --expires=180d\n" in text
    assert "who has lost it: arcan token rotate shop --realm=production" in text
    assert "arcan bootstrap ca --format=secret --host=arcan.arcan.svc" in text
    assert "kubectl apply --server-side --context=eu-1 -f -" in text


def test_every_variable_of_the_terraform_is_declared_once_used_and_sensitive_unless_it_is_a_ca() -> None:
    text = as_terraform(needed(), None)
    declared = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.M | re.S)
    names = [name for name, _ in declared]
    assert len(set(names)) == len(names)
    assert set(re.findall(r"= var\.(\w+)$", text, re.M)) == set(names)
    open_ones = {name for name, body in declared if "sensitive   = true" not in body}
    assert open_ones == {"arcan_ca", "arcan_namespaces", "ca_old_legacy_ca_root_pem"}


def test_the_terraform_makes_the_namespaces_before_what_is_in_them() -> None:
    text = as_terraform(needed(), None)
    (listed,) = re.findall(r'^variable "arcan_namespaces" \{.*?default = \[\n(.*?)  \]', text, re.M | re.S)
    assert re.findall(r'"(.+)"', listed) == list(needed().namespaces)
    objects = re.findall(r'^resource "kubernetes_(?:secret|config_map)_v1" .*?^\}', text, re.M | re.S)
    assert objects
    assert all("depends_on = [kubernetes_namespace_v1.arcan_namespaces]" in each for each in objects)


def test_the_terraform_of_a_machine_identity_is_as_people_write_it() -> None:
    text = as_terraform(needed(), None)
    assert (
        """\
resource "kubernetes_secret_v1" "external_secrets_infisical_machine_identity" {
  metadata {
    name      = "infisical-machine-identity"
    namespace = "external-secrets"
  }

  data = {
    "clientId"     = var.external_secrets_infisical_machine_identity_clientId
    "clientSecret" = var.external_secrets_infisical_machine_identity_clientSecret
  }

  depends_on = [kubernetes_namespace_v1.arcan_namespaces]
}
"""
        in text
    )


def test_resources_and_variables_of_terraform_never_share_a_name() -> None:
    """`a.b` and `a-b` are two Secrets, and one identifier."""
    vault = (
        "    other:\n      scope: cluster\n      server: https://vault.example.org:8200\n      path: secret\n"
    )
    vault += "      auth: {tokenSecretRef: {name: vault.token, key: token}}\n"
    settings = SETTINGS.replace("  infisical:\n    infisical:", f"{vault}  infisical:\n    infisical:")
    app = "name: {0}\nstore: {1}\nnamespace: {0}\nsecrets: [{{name: {0}-env, keys: [{{key: a, as: A}}]}}]\n"
    found = needed(settings=settings, one=app.format("one", "vault"), two=app.format("two", "other"))
    text = as_terraform(found, None)
    identifiers = re.findall(r'^(?:resource|variable) (".*") \{', text, re.M)
    assert len(identifiers) == len(set(identifiers)) == 10


@pytest.mark.parametrize("end", ["\n", "\r", "\x0c", "\x85", "\u2028"])
@pytest.mark.parametrize("output", [as_manifests, as_terraform])
def test_no_line_break_ends_a_comment(output: Callable[..., str], end: str) -> None:
    lines = output(needed(), f"x{end}kind: Injected").splitlines()
    found = [line for line in lines if "kind: Injected" in line]
    assert len(found) == 1
    assert found[0].startswith("# ")


@pytest.mark.parametrize("output", sorted(OUTPUTS))
def test_a_context_with_a_line_break_is_wrong_usage(output: str, repository: Path) -> None:
    result = CliRunner().invoke(arcan, ["bootstrap", "prod", "--format", output, "--context", "x\nkind: Pod"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'x\\nkind: Pod' is not the name of a context" in result.stderr
    assert "kubectl config get-contexts" in result.stderr
