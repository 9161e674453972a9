"""Gatekeeper policies that Gatekeeper refuses, or that can never say no.

Source: open-policy-agent/frameworks constraint (name, target, Rego v0 unless `code` says otherwise).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from arcan_gitops.lint.findings import Found, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.objects import ESO_GROUP, Object
from arcan_gitops.lint.rule import Rule

_TEMPLATES: Final = "templates.gatekeeper.sh"
_CONSTRAINTS: Final = "constraints.gatekeeper.sh"
_TARGET: Final = "admission.k8s.gatekeeper.sh"
_REGO_V1_RULE: Final = re.compile(r"^\s*\w+(?:\[[^\n]*\])?[^\n:=#]*\bif\b", re.MULTILINE)
_REGO_V1_IMPORT: Final = re.compile(r"^\s*import\s+(?:rego\.v1|future\.keywords)", re.MULTILINE)
_KINDS: Final = (
    "ClusterExternalSecret",
    "ClusterPushSecret",
    "ClusterSecretStore",
    "ExternalSecret",
    "PushSecret",
    "SecretStore",
    "*",
)


def _policies(manifests: Manifests) -> Iterator[Found]:
    for obj in manifests.objects:
        if obj.kind == "ConstraintTemplate" and obj.group in (_TEMPLATES, _CONSTRAINTS):
            yield from _template(obj)
        elif obj.group == _CONSTRAINTS:
            yield from _constraint(obj)


def _template(obj: Object) -> Iterator[Found]:
    if obj.group == _CONSTRAINTS:
        yield obj.found(
            obj.root.at("apiVersion"),
            f"a ConstraintTemplate is of {_TEMPLATES}; {_CONSTRAINTS} has the constraints made of templates",
            f"write apiVersion: {_TEMPLATES}/v1",
        )
    kind = obj.root.text("spec", "crd", "spec", "names", "kind")
    if kind is not None and obj.name and obj.name != kind.lower():
        yield obj.found(
            obj.root.at("metadata", "name"),
            f"a template's name must be its kind in small letters: {kind.lower()[:60]}",
            "rename the one or the other",
        )
    for target in obj.root.items("spec", "targets"):
        if target.at("target") is not None and target.text("target") != _TARGET:
            problem = "Gatekeeper has no such target, and refuses the template"
            yield obj.found(target.at("target"), problem, f"write target: {_TARGET}")
        rego = target.text("rego") or ""
        if _REGO_V1_RULE.search(rego) and not _REGO_V1_IMPORT.search(rego):
            yield obj.found(
                target.at("rego"),
                "the policy is written in Rego v1 ('if'), and a template's rego field is read as v0",
                "write import rego.v1 under the package line, or use code with source.version: v1",
            )


def _constraint(obj: Object) -> Iterator[Found]:
    for match in obj.root.items("spec", "match", "kinds"):
        if ESO_GROUP not in match.texts("apiGroups"):
            continue
        for item in match.items("kinds"):
            if isinstance(item.scalar, str) and item.scalar not in _KINDS:
                problem = f"{ESO_GROUP} has no kind {item.scalar[:60]}: the constraint never matches"
                yield obj.found(item, problem, "name SecretStore and ClusterSecretStore")


RULES = (Rule("ARC071", Severity.ERROR, "a Gatekeeper policy that cannot work", _policies),)
