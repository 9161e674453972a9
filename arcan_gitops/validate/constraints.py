"""A Gatekeeper ConstraintTemplate -> the CustomResourceDefinition of its constraints.

Gatekeeper makes that definition in the cluster, so nobody has it as a file; without it a constraint would be
a kind that does not exist. Source: github.com/open-policy-agent/frameworks, constraint/pkg/schema/crd.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from arcan_gitops.validate.derive import CannotDerive, crd_name

KIND: Final = "ConstraintTemplate"
_TEXT: Final = {"type": "string"}
_ANYTHING: Final = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def constraint_crd(template: Mapping[str, Any]) -> dict[str, Any]:
    """What Gatekeeper would register for a template. Raises `CannotDerive` for half a template."""
    try:
        names = template["spec"]["crd"]["spec"]["names"]
        validation = template["spec"]["crd"]["spec"].get("validation") or {}
        parameters = validation.get("openAPIV3Schema") or _ANYTHING
        kind = names["kind"]
        expected = kind.lower()
        name = template["metadata"]["name"]
    except (AttributeError, KeyError, TypeError):
        raise CannotDerive(f"{crd_name(template)}: not a whole {KIND}") from None
    if name != expected:
        raise CannotDerive(
            f"{KIND} {name}: its name must be its kind in lower case, {expected}",
            hint="Gatekeeper refuses it otherwise",
        )
    action = {"action": _TEXT, "enforcementPoints": {"type": "array", "items": _ANYTHING}}
    spec = {
        "enforcementAction": _TEXT,
        "scopedEnforcementActions": {"type": "array", "items": {"type": "object", "properties": action}},
        "match": _ANYTHING,
        "parameters": parameters,
    }
    body = {
        "type": "object",
        "properties": {
            "apiVersion": _TEXT,
            "kind": _TEXT,
            "metadata": {"type": "object"},
            "spec": {"type": "object", "properties": spec},
            "status": _ANYTHING,
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{expected}.constraints.gatekeeper.sh"},
        "spec": {
            "group": "constraints.gatekeeper.sh",
            "names": {"kind": kind, "plural": expected},
            "scope": "Cluster",
            "versions": [{"name": "v1beta1", "served": True, "schema": {"openAPIV3Schema": body}}],
        },
    }
