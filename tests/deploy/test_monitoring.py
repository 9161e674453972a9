"""Alerts and dashboard read metrics that exist, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcan_gitops.server.metrics import HISTOGRAMS, METRICS
from tests.deploy.repository import one
from tests.deploy.test_manifests import build

# External Secrets Operator, docs/api/metrics.md, and pkg/controllers/*/*metrics.
OF_ESO = {
    "externalsecret_status_condition",
    "externalsecret_sync_calls_total",
    "externalsecret_sync_calls_error",
    "externalsecret_provider_api_calls_count",
    "secretstore_status_condition",
    "clustersecretstore_status_condition",
}
# github.com/kubernetes/kube-state-metrics, docs/metrics/workload/deployment-metrics.md.
OF_KUBE_STATE_METRICS = {"kube_deployment_status_condition"}
OF_PROMETHEUS = {"up"}
OF_HISTOGRAMS = {f"{name}_{part}" for name in HISTOGRAMS for part in ("bucket", "sum", "count")}
KNOWN = set(METRICS) | OF_HISTOGRAMS | OF_ESO | OF_KUBE_STATE_METRICS | OF_PROMETHEUS

# PromQL without its functions, operators, labels and strings: what is left are names of metrics.
WORDS = {
    "absent", "and", "by", "count", "histogram_quantile", "increase", "max", "min", "on", "or", "rate", "sum", "time", "without",
}  # fmt: skip


def metrics_of(expression: str) -> set[str]:
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", "", bare)
    bare = re.sub(r"\b(by|without|on)\s*\([^)]*\)", "", bare)
    return set(re.findall(r"\b[a-zA-Z_:][a-zA-Z0-9_:]*", bare)) - WORDS


@pytest.fixture(scope="module")
def alerts(kustomize: Path) -> dict[str, dict[str, object]]:
    groups = one(build(kustomize, "monitoring"), "PrometheusRule")["spec"]["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


@pytest.fixture(scope="module")
def dashboard(kustomize: Path) -> dict[str, object]:
    config_map = one(build(kustomize, "monitoring"), "ConfigMap", "arcan-dashboard")
    assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
    board: dict[str, object] = json.loads(config_map["data"]["arcan.json"])
    return board


def expressions(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("expr"), str):
            yield node["expr"]
        for child in node.values():
            yield from expressions(child)
    elif isinstance(node, list):
        for child in node:
            yield from expressions(child)


def test_every_metric_of_an_alert_or_a_panel_exists(
    alerts: dict[str, dict[str, object]], dashboard: dict[str, object]
) -> None:
    found = [*expressions(list(alerts.values())), *expressions(dashboard)]
    assert len(found) > 20
    for expression in found:
        assert metrics_of(expression), expression
        assert metrics_of(expression) <= KNOWN, expression
        assert expression.count("(") == expression.count(")")


def test_names_that_a_guide_made_up_are_seen() -> None:
    assert metrics_of('sum by (name) (rate(external_secrets_reconciled{name="up"}[5m])) > 0') - KNOWN == {
        "external_secrets_reconciled"
    }


def test_there_is_an_alert_for_all_that_needs_somebody(alerts: dict[str, dict[str, object]]) -> None:
    read = {name: metrics_of(str(rule["expr"])) for name, rule in alerts.items()}
    assert read["ArcanReloadFailed"] == {"arcan_reload_failed"}
    assert read["ArcanLastGood"] == {"arcan_last_good_age_seconds"}
    assert read["ArcanWorkersGone"] == {"arcan_workers"}
    assert read["ArcanErrors"] == read["ArcanRefused"] == {"arcan_request_duration_seconds_count"}
    assert read["ArcanSlow"] == {"arcan_request_duration_seconds_bucket"}
    assert read["ArcanNotLoaded"] == {"arcan_not_loaded", "arcan_keys_not_loaded"}
    assert read["ArcanRolloutFailed"] == {"kube_deployment_status_condition"}
    assert read["ArcanCertificateExpires"] == {"arcan_certificate_expiry_timestamp_seconds"}
    assert read["ArcanCertificateBad"] == {"arcan_certificate_reload_failed"}
    assert read["ArcanAuditFails"] == {"arcan_audit_failing"}
    assert read["ArcanGone"] == {"arcan_gone"}
    assert read["ArcanTokenExpires"] == {"arcan_token_expiry_timestamp_seconds"}
    assert read["ExternalSecretNotSynced"] == {"externalsecret_status_condition"}
    assert read["ExternalSecretSyncsFail"] == {"externalsecret_sync_calls_error"}
    for rule in alerts.values():
        labels, annotations = rule["labels"], rule["annotations"]
        assert isinstance(labels, dict)
        assert isinstance(annotations, dict)
        assert labels["severity"] in ("warning", "critical")
        assert annotations.keys() == {"summary", "description"}


def test_every_metric_of_the_server_is_on_the_dashboard(dashboard: dict[str, object]) -> None:
    assert set(METRICS) | OF_HISTOGRAMS <= set.union(*map(metrics_of, expressions(dashboard)))
