"""The three variants of the policy on stores and generators say the same. (Their own engines judge them in `make e2e`.)"""

from __future__ import annotations

import re
from pathlib import Path

from tests.deploy.repository import Manifest, one
from tests.deploy.test_manifests import build


def policies(kustomize: Path) -> tuple[Manifest, Manifest, Manifest]:
    objects = build(
        kustomize, "policies/gatekeeper", "policies/kyverno", "policies/validating-admission-policy"
    )
    return (
        one(objects, "ValidatingAdmissionPolicy", "arcan-stores")["spec"],
        one(objects, "ValidatingPolicy", "arcan-stores")["spec"],
        one(objects, "ConstraintTemplate", "arcanstores")["spec"],
    )


def test_kubernetes_and_kyverno_judge_by_the_same_expressions(kustomize: Path) -> None:
    kubernetes, kyverno, _ = policies(kustomize)
    for field in ("matchConstraints", "matchConditions", "variables", "validations", "failurePolicy"):
        assert kubernetes[field] == kyverno[field]
    assert [variable["name"] for variable in kubernetes["variables"][:2]] == ["allowedHosts", "exemptStores"]


def test_all_three_refuse_with_the_same_words(kustomize: Path) -> None:
    kubernetes, _, gatekeeper = policies(kustomize)
    (target,) = gatekeeper["targets"]
    assert target["target"] == "admission.k8s.gatekeeper.sh"
    refusals = re.findall(r'violation\[\{"msg": "([^"]+)"', target["rego"])
    assert refusals == [validation["message"] for validation in kubernetes["validations"]]


def test_all_three_look_at_the_same_kinds(kustomize: Path) -> None:
    kubernetes, _, _ = policies(kustomize)
    constraint = one(build(kustomize, "policies/gatekeeper"), "ArcanStores", "arcan-stores")["spec"]
    resources = {
        (group, resource)
        for rule in kubernetes["matchConstraints"]["resourceRules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    kinds = {
        (group, f"{kind.lower()}s")
        for rule in constraint["match"]["kinds"]
        for group in rule["apiGroups"]
        for kind in rule["kinds"]
    }
    assert kinds == resources
    assert ("generators.external-secrets.io", "webhooks") in kinds


def test_every_variable_of_an_expression_is_declared_before_it_is_used(kustomize: Path) -> None:
    kubernetes, kyverno, _ = policies(kustomize)
    for policy in (kubernetes, kyverno):
        known: set[str] = set()
        for variable in policy["variables"]:
            assert set(re.findall(r"variables\.(\w+)", variable["expression"])) <= known
            known.add(variable["name"])
        for validation in policy["validations"]:
            assert set(re.findall(r"variables\.(\w+)", validation["expression"])) <= known


def test_the_policy_needs_no_object_beside_it(kustomize: Path) -> None:
    """An API server can lose sight of the object of a paramRef (kubernetes#130887)."""
    objects = build(kustomize, "policies/validating-admission-policy")
    binding = one(objects, "ValidatingAdmissionPolicyBinding", "arcan-stores")["spec"]
    assert binding == {"policyName": "arcan-stores", "validationActions": ["Deny"]}
    policy = one(objects, "ValidatingAdmissionPolicy", "arcan-stores")["spec"]
    assert policy["failurePolicy"] == "Fail"
    assert "params" not in str(policy)
