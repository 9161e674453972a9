"""Metrics that ESO does not have, in alerts and dashboards.

Source: ESO docs/api/metrics.md, the same list from v0.9 to v2.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from arcan_gitops.lint.findings import Found, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.nodes import Node, Unreadable, read_nodes
from arcan_gitops.lint.objects import Object
from arcan_gitops.lint.rule import Rule
from arcan_gitops.names import did_you_mean

METRICS: Final = frozenset(
    {
        "externalsecret_provider_api_calls_count",
        "externalsecret_reconcile_duration",
        "externalsecret_status_condition",
        "externalsecret_sync_calls_error",
        "externalsecret_sync_calls_total",
        *(
            f"{kind}_{metric}"
            for kind in (
                "clusterexternalsecret",
                "clusterpushsecret",
                "clustersecretstore",
                "pushsecret",
                "secretstore",
            )
            for metric in ("reconcile_duration", "status_condition")
        ),
    }
)
_NAME: Final = re.compile(
    r"(?<![\w:])((?:cluster_?)?(?:external_?secrets?|secret_?stores?|push_?secrets?)_[a-z_]+)(?![\w:])"
)
# Not metrics: texts, label matchers, lists of labels.
_REST: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|\{[^{}]*\}'
    r"|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)"
)


def _expressions(obj: Object) -> Iterator[tuple[Node, str]]:
    """The PromQL of a PrometheusRule, a GrafanaDashboard, or a ConfigMap that holds a dashboard or rules."""
    if obj.kind in ("PrometheusRule", "VMRule") or obj.root.at("groups") is not None:
        yield from _exprs(obj.root)
    texts: list[Node] = []
    if obj.kind == "ConfigMap":
        texts += obj.root.fields("data").values()
    elif obj.kind == "GrafanaDashboard" and (json := obj.root.at("spec", "json")) is not None:
        texts.append(json)
    for node in texts:
        if isinstance(node.scalar, str) and "expr" in node.scalar and _NAME.search(node.scalar):
            yield from ((node, expression) for expression in _inside(node.scalar))


def _exprs(root: Node) -> Iterator[tuple[Node, str]]:
    for node in root.walk():
        expr = node.at("expr")
        if expr is not None and isinstance(expr.scalar, str):
            yield expr, expr.scalar


def _inside(text: str) -> Iterator[str]:
    """The expressions in a dashboard (JSON, which YAML holds) or in a file of rules."""
    try:
        for document in read_nodes(text, 1).documents:
            yield from (expression for _, expression in _exprs(document))
    except Unreadable:
        return


def _recorded(manifests: Manifests) -> set[str]:
    """The names that recording rules among the manifests give."""
    return {
        record
        for obj in manifests.objects
        if obj.kind in ("PrometheusRule", "VMRule")
        for node in obj.root.walk()
        if (record := node.text("record")) is not None
    }


def _no_such_metric(manifests: Manifests) -> Iterator[Found]:
    known = METRICS | _recorded(manifests)
    for obj in manifests.objects:
        told: set[tuple[int, str]] = set()
        for node, text in _expressions(obj):
            for match in _NAME.finditer(_REST.sub(" ", text)):
                name = match[1]
                if name in known or (node.line, name) in told:
                    continue
                told.add((node.line, name))
                yield obj.found(
                    node,
                    f"ESO has no metric {name[:80]}: the expression is always empty, and no alert ever fires",
                    _instead(name),
                )


def _instead(name: str) -> str:
    if "fail" in name or "error" in name:
        return "did you mean 'externalsecret_sync_calls_error'?"
    if "reconcile" in name and "duration" not in name:
        return "did you mean 'externalsecret_sync_calls_total'?"
    return did_you_mean(name, METRICS)


RULES = (Rule("ARC070", Severity.ERROR, "a metric that ESO does not have", _no_such_metric),)
