"""The rules about what is around ESO's own kinds: its installation, alerts, dashboards, policies."""

from __future__ import annotations

import json
import re

import pytest

from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.lint.advisories import ARGO_CD, advisories, advisories_for
from arcan_gitops.lint.findings import Severity
from arcan_gitops.names import InvalidName
from tests.lint.writing import findings, rules

IMAGE = "kind: Deployment\nspec: {template: {spec: {initContainers: [], containers: [{image: '%s'}]}}}\n"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v2.9.0", (2, 9, 0)),
        ("2.9", (2, 9, 0)),
        ("0.20.4", (0, 20, 4)),
        ("v1.0.0-rc.1", (1, 0, 0)),
        ("2", None),
        ("latest", None),
        (">=2.0.0", None),
        ("v2.9.0\n", None),
        ("٢.٩", None),
    ],
)
def test_versions(text: str, version: tuple[int, int, int] | None) -> None:
    if version is None:
        with pytest.raises(InvalidName):
            EsoVersion.parse(text)
    else:
        assert EsoVersion.parse(text) == EsoVersion(*version)


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("0.9.20", ["2024-45041", "2026-34984", "2026-42875", "2026-42876"]),
        ("0.10.1", ["2024-45041", "2026-26287", "2026-34984", "2026-42875", "2026-42876"]),
        ("0.10.2", ["2026-26287", "2026-34984", "2026-42875", "2026-42876"]),
        ("0.15.0", ["2025-55196", "2026-26287", "2026-34984", "2026-42875", "2026-42876"]),
        ("0.19.2", ["2026-26287", "2026-34984", "2026-42875", "2026-42876"]),
        ("0.20.2", ["2026-22822", "2026-26287", "2026-34984", "2026-42875", "2026-42876"]),
        ("1.2.0", ["2026-26287", "2026-34984", "2026-42875", "2026-42876"]),
        ("1.3.1", ["2026-26287", "2026-34984", "2026-42875", "2026-42876"]),
        ("1.3.2", ["2026-34984", "2026-42875", "2026-42876"]),
        ("2.3.0", ["2026-42875", "2026-42876"]),
        ("2.4.0", ["2026-42876"]),
        ("2.4.1", []),
        ("2.9.0", []),
    ],
)
def test_which_versions_are_affected(version: str, numbers: list[str]) -> None:
    assert [a.number.removeprefix("CVE-") for a in advisories_for(EsoVersion.parse(version))] == numbers


def test_the_fixed_version_is_not_affected_and_the_first_one_is() -> None:
    for advisory in advisories():
        assert advisory.affected
        for since, fixed in advisory.affected:
            assert advisory.fixed_in(since) == fixed
            assert advisory.fixed_in(fixed) is None


def test_each_advisory_says_where_and_when_it_was_read() -> None:
    for advisory in advisories():
        assert advisory.source
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", advisory.checked)


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("3.1.9", []),
        ("3.2.10", ["CVE-2026-42880", "CVE-2026-43824", "CVE-2026-45737"]),
        ("3.2.11", ["CVE-2026-45737"]),
        ("3.3.8", ["CVE-2026-42880", "CVE-2026-43824", "CVE-2026-45737"]),
        ("3.3.9", ["CVE-2026-45737"]),
        ("3.3.10", []),
        (
            "3.6.2",
            ["GHSA-mfgm-4p7x-3ccr", "GHSA-w7rw-fg89-2cjf", "GHSA-rxm8-qc6h-3c8h", "GHSA-rvmf-gjc9-wjgq"],
        ),
        ("3.6.3", []),
    ],
)
def test_which_versions_of_argo_cd_are_affected(version: str, numbers: list[str]) -> None:
    found = advisories_for(EsoVersion.parse(version), ARGO_CD)
    assert [advisory.number for advisory in found] == numbers
    image = findings(IMAGE % f"quay.io/argoproj/argocd:v{version}")
    assert [finding.rule for finding in image] == ["ARC060"] * len(numbers)


def test_an_advisory_without_a_known_rating_is_a_warning() -> None:
    found = findings(IMAGE % "quay.io/argoproj/argocd:v3.6.2")
    assert {finding.severity for finding in found} == {Severity.WARNING}


def test_critical_and_high_ones_are_errors() -> None:
    found = findings(IMAGE % "ghcr.io/external-secrets/external-secrets:v1.1.0")
    assert [f.severity for f in found] == [Severity.ERROR] * 3 + [Severity.WARNING] * 2


def test_the_version_that_one_asks_for_is_judged_too_and_has_no_place() -> None:
    found = findings("a: b\n", eso="v2.4.0")
    assert [(f.rule, f.place) for f in found] == [("ARC060", None)]
    assert "(--eso-version)" in found[0].message


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("oci.external-secrets.io/external-secrets/external-secrets:v2.4.0", ["ARC060"]),
        ("mirror.example.com:5000/ghcr/external-secrets/external-secrets:v2.4.0-ubi-boringssl", ["ARC060"]),
        ("ghcr.io/external-secrets/external-secrets:v2.9.0", []),
        ("ghcr.io/external-secrets/external-secrets", ["ARC061"]),
        ("ghcr.io/external-secrets/external-secrets:main", ["ARC061"]),
        ("ghcr.io/external-secrets/external-secrets:v2.9.0@sha256:" + "0" * 64, []),
        ("ghcr.io/external-secrets/bitwarden-sdk-server:v0.1.0", []),
        ("ghcr.io/external-secrets/external-secrets-e2e:v0.1.0", []),
    ],
)
def test_images(image: str, expected: list[str]) -> None:
    assert rules(IMAGE % image) == expected


def test_the_dependencies_of_a_chart() -> None:
    text = "dependencies:\n- {name: external-secrets, repository: 'https://charts.external-secrets.io', version: %s}\n"
    assert rules(text % "2.9.0") == []
    assert rules(text % "2.4.0") == ["ARC060"]
    assert rules(text % "'~2.4'") == ["ARC061"]
    assert (
        rules("dependencies:\n- {name: external-secrets, repository: 'file://../x', version: 1.0.0}\n") == []
    )


RULE = (
    "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec: {groups: [{rules: [{expr: '%s'}]}]}\n"
)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("external_secrets_reconciled", "did you mean 'externalsecret_sync_calls_total'?"),
        ("rate(external_secrets_failures[5m]) > 0", "did you mean 'externalsecret_sync_calls_error'?"),
        ("externalsecret_sync_call_total", "did you mean 'externalsecret_sync_calls_total'?"),
        ("secretstore_status_conditions == 0", "did you mean 'secretstore_status_condition'?"),
        ("clustersecretstore_status_condition == 0", None),
        ('externalsecret_status_condition{a="external_secrets_x"}', None),
        ("sum by (external_secrets_name) (externalsecret_status_condition)", None),
        ("kube_externalsecret_info", None),
        ("externalsecret_errors:rate5m", None),
        ('up{job=~"external_secrets_.*"}', None),
    ],
)
def test_metrics(expr: str, expected: str | None) -> None:
    found = findings(RULE % expr)
    assert [(f.rule, f.hint) for f in found] == ([("ARC070", expected)] if expected else [])


def test_a_name_that_a_rule_records_is_a_metric() -> None:
    recorded = "- {record: external_secrets_failures, expr: sum(externalsecret_sync_calls_error)}\n"
    text = f"kind: PrometheusRule\nspec:\n  groups:\n  - rules:\n    {recorded}    - {{expr: external_secrets_failures > 1}}\n"
    assert rules(text) == []


def test_dashboards_and_rules_in_config_maps_and_files() -> None:
    dashboard = json.dumps(
        {"panels": [{"targets": [{"expr": 'sum(external_secrets_reconciled{a="b"})'}]}]}, indent=1
    )
    indented = dashboard.replace("\n", "\n    ")
    assert rules(f"kind: ConfigMap\ndata:\n  d.json: |\n    {indented}\n") == ["ARC070"]
    assert rules(f"kind: GrafanaDashboard\nspec:\n  json: |\n    {indented}\n") == ["ARC070"]
    assert rules("groups: [{rules: [{expr: external_secrets_failures}]}]\n") == ["ARC070"]
    folded = "kind: ConfigMap\ndata:\n  r.yaml: |\n    rules:\n    - expr: |\n        sum(\n          external_secrets_failures)\n"
    assert rules(folded) == ["ARC070"]
    assert rules("kind: ConfigMap\ndata: {note: 'expr: [ external_secrets_failures'}\n") == []
    nested = "kind: ConfigMap\ndata:\n  r.yaml: |\n    rules:\n    - expr: external_secrets_failures > 0\n"
    assert rules(nested) == ["ARC070"]
    assert rules("kind: ConfigMap\ndata: {note: external_secrets_failures}\n") == []


TEMPLATE = """\
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: httpsstores}
spec:
  crd: {spec: {names: {kind: HttpsStores}}}
  targets:
  - target: admission.k8s.gatekeeper.sh
    rego: |
      package httpsstores
      %s
      violation[{"msg": msg}] %s{
        msg := "no if here"
      }
"""


@pytest.mark.parametrize(
    ("imports", "head", "found"),
    [
        ("", "", False),
        ("", "if ", True),
        ("import rego.v1", "if ", False),
        ("import future.keywords.if", "if ", False),
        ("# what if", "", False),
    ],
)
def test_rego_v1_needs_its_import(imports: str, head: str, found: bool) -> None:
    assert rules(TEMPLATE % (imports, head)) == (["ARC071"] if found else [])


def test_constraints_of_other_kinds_are_left_alone() -> None:
    text = "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: X\nspec: {match: {kinds: [{apiGroups: [%s], kinds: [%s]}]}}\n"
    assert rules(text % ("external-secrets.io", "SecretStore, ClusterSecretStore")) == []
    assert rules(text % ("external-secrets.io", "'*'")) == []
    assert rules(text % ("apps", "Deployment")) == []
    assert rules(text % ("external-secrets.io", "SecretsStore")) == ["ARC071"]
