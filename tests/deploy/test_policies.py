"""The three variants of the policy on stores and generators say the same. (Their own engines judge them in `make e2e`.)"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from arcan_gitops.names import KubeCluster, Namespace, OverlayName
from arcan_gitops.overlay.credentials import ACCOUNT_ANNOTATION, ACCOUNT_TYPE, Credentials, Kind
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE
from tests.deploy.repository import Manifest, one
from tests.deploy.test_manifests import build

NAMES = ("arcan-stores", "arcan-accounts")


def policies(kustomize: Path, name: str = "arcan-stores") -> tuple[Manifest, Manifest, Manifest]:
    objects = build(
        kustomize, "policies/gatekeeper", "policies/kyverno", "policies/validating-admission-policy"
    )
    return (
        one(objects, "ValidatingAdmissionPolicy", name)["spec"],
        one(objects, "ValidatingPolicy", name)["spec"],
        one(objects, "ConstraintTemplate", name.replace("-", ""))["spec"],
    )


def test_kubernetes_and_kyverno_judge_by_the_same_expressions(kustomize: Path) -> None:
    for name in NAMES:
        kubernetes, kyverno, _ = policies(kustomize, name)
        for field in ("matchConstraints", "matchConditions", "variables", "validations", "failurePolicy"):
            assert kubernetes[field] == kyverno[field]
    kubernetes, _, _ = policies(kustomize)
    assert [variable["name"] for variable in kubernetes["variables"][:2]] == ["allowedHosts", "exemptStores"]


@pytest.mark.parametrize("name", NAMES)
def test_all_three_refuse_with_the_same_words(kustomize: Path, name: str) -> None:
    kubernetes, _, gatekeeper = policies(kustomize, name)
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
    for policy in (each for name in NAMES for each in policies(kustomize, name)[:2]):
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


def test_all_three_judge_the_secrets_of_the_accounts_that_overlays_make(kustomize: Path) -> None:
    """By the label, type, annotation and name of `credentials: account`."""
    kubernetes, _, gatekeeper = policies(kustomize, "arcan-accounts")
    rego = gatekeeper["targets"][0]["rego"]
    for part in (ACCOUNT_TYPE, ACCOUNT_ANNOTATION, SECRET_LABEL_NAME, SECRET_LABEL_VALUE):
        assert part in str(kubernetes["matchConditions"])
        assert part in rego
    patterns = re.findall(r"matches\('([^']+)'\)", str(kubernetes["validations"][0]["expression"]))
    patterns += re.findall(r'regex.match\("([^"]+)"', rego)
    assert len(set(patterns)) == 1
    for overlay in (None, OverlayName("prod-eu")):
        account = Credentials(Kind.ACCOUNT, KubeCluster("eu")).account_in(Namespace("shop"), overlay)
        assert account is not None
        assert re.fullmatch(patterns[0], account.service_account)
    assert not re.fullmatch(patterns[0], "default")
    constraint = one(build(kustomize, "policies/gatekeeper"), "ArcanAccounts", "arcan-accounts")["spec"]
    assert constraint["match"]["kinds"] == [{"apiGroups": [""], "kinds": ["Secret"]}]
