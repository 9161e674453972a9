"""The base and the components, as Kustomize builds them."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.deploy import base_tree, component_names, component_tree
from arcan_gitops.overlay.argocd.projects import CLUSTER_KINDS
from arcan_gitops.yamlio import emit
from tests.deploy.repository import SCHEMAS, Manifest, kustomize_build, names, one, validated

ALL_TOGETHER = tuple(name for name in component_names() if name != "own-ca")


def build(kustomize: Path, *components: str) -> list[Manifest]:
    """The objects of a server with these components; a copy, which a test may change."""
    wanted = tuple(name for name in component_names() if name in components)
    return deepcopy(_build(kustomize, wanted))


@cache
def _build(kustomize: Path, components: tuple[str, ...]) -> list[Manifest]:
    overlay = kustomize / "_".join(["with", *components]).replace("/", "-")
    overlay.mkdir()
    body = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../base/arcan"],
        "components": [f"../components/{name}" for name in components],
    }
    (overlay / "kustomization.yaml").write_text(emit([body]))
    return kustomize_build(overlay)


def pod_of(objects: list[Manifest]) -> Manifest:
    template: Manifest = one(objects, "Deployment")["spec"]["template"]
    return template


def test_there_are_the_components_that_the_readme_names() -> None:
    assert component_names() == (
        "cert-manager",
        "monitoring",
        "own-ca",
        "policies/gatekeeper",
        "policies/kyverno",
        "policies/validating-admission-policy",
        "openshift",
    )


def test_the_base_is_all_that_a_server_needs(kustomize: Path) -> None:
    objects = build(kustomize)
    assert sorted(thing["kind"] for thing in objects) == [
        "Deployment",
        "HorizontalPodAutoscaler",
        "Namespace",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
    ]
    validated(objects)


@pytest.mark.parametrize("name", component_names())
def test_every_component_builds_and_is_valid_also_on_openshift(name: str, kustomize: Path) -> None:
    validated(build(kustomize, name))
    validated(build(kustomize, name, "openshift"))


def test_all_components_go_together(kustomize: Path) -> None:
    objects = build(kustomize, *ALL_TOGETHER)
    validated(objects)
    alone = [thing for name in ALL_TOGETHER for thing in build(kustomize, name)]
    assert {(thing["kind"], thing["metadata"]["name"]) for thing in objects} == {
        (thing["kind"], thing["metadata"]["name"]) for thing in alone
    }
    validated(build(kustomize, "own-ca", "monitoring"))


def test_nothing_is_in_a_namespace_by_chance(kustomize: Path) -> None:
    """No kustomization has `namespace:`, which moves what belongs elsewhere."""
    cluster = {
        "ArcanAccounts", "ArcanStores", "ConstraintTemplate", "Namespace", "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding", "ValidatingPolicy",
    }  # fmt: skip
    assert cluster <= {kind for _, kind in CLUSTER_KINDS}, "Argo CD's project would not let them in"
    for thing in build(kustomize, *ALL_TOGETHER):
        assert thing["metadata"].get("namespace") == (None if thing["kind"] in cluster else "arcan")
    assert all("\nnamespace:" not in text for text in (*base_tree().values(), *component_tree().values()))


def annotation(thing: Manifest, name: str) -> str | None:
    text: str | None = thing["metadata"].get("annotations", {}).get(f"argocd.argoproj.io/{name}")
    return text


def test_nothing_waits_for_the_health_of_another(kustomize: Path) -> None:
    """In one wave Argo CD applies everything and waits for nothing; a fix never waits for what it fixes."""
    for thing in build(kustomize, *ALL_TOGETHER):
        assert annotation(thing, "sync-wave") is None, (thing["kind"], thing["metadata"]["name"])


def test_a_kind_that_the_cluster_may_lack_holds_up_no_other(kustomize: Path) -> None:
    core = {"", "apps", "autoscaling", "policy", "networking.k8s.io", "admissionregistration.k8s.io"}
    for thing in build(kustomize, *ALL_TOGETHER):
        group = thing["apiVersion"].rpartition("/")[0]
        skipped = annotation(thing, "sync-options") == "SkipDryRunOnMissingResource=true"
        assert skipped is (group not in core), (thing["kind"], group)


def test_an_autoscaler_without_metrics_is_not_taken_for_a_fault(kustomize: Path) -> None:
    for thing in build(kustomize):
        ignored = annotation(thing, "ignore-healthcheck") == "true"
        assert ignored is (thing["kind"] == "HorizontalPodAutoscaler")


def test_argo_cd_never_removes_the_namespace_of_the_server(kustomize: Path) -> None:
    (namespace,) = [thing for thing in build(kustomize) if thing["kind"] == "Namespace"]
    assert annotation(namespace, "sync-options") == "Prune=false,Delete=false"


def missing_defaults(value: Any, schema: Manifest, definitions: Manifest, path: str = "") -> Iterator[str]:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if isinstance(value, dict):
        for name, child in schema.get("properties", {}).items():
            if name in value:
                yield from missing_defaults(value[name], child, definitions, f"{path}.{name}")
            elif "default" in child:
                yield f"{path}.{name}"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from missing_defaults(item, schema.get("items", {}), definitions, f"{path}[{number}]")


def test_what_a_crd_defaults_is_written_out(kustomize: Path) -> None:
    """Or Argo CD would see what the API server stores as a drift, for ever."""
    custom = [thing for thing in build(kustomize, *ALL_TOGETHER) if ".k8s.io/" not in thing["apiVersion"]]
    judged = 0
    for thing in custom:
        body = SCHEMAS.find(thing["apiVersion"], thing["kind"]).body
        judged += 1
        assert list(missing_defaults(thing, body, body.get("definitions", {}))) == []
    assert judged > 8


def test_the_deployment_names_no_replicas_for_the_autoscaler_sets_them(kustomize: Path) -> None:
    objects = build(kustomize)
    assert "replicas" not in one(objects, "Deployment")["spec"]
    target = one(objects, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "arcan"}


def test_everything_selects_the_pods_of_the_deployment(kustomize: Path) -> None:
    objects = build(kustomize, "monitoring")
    labels = pod_of(objects)["metadata"]["labels"]
    assert one(objects, "Deployment")["spec"]["selector"]["matchLabels"] == labels
    assert one(objects, "Service")["spec"]["selector"] == labels
    assert one(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    for name in ("arcan", "arcan-metrics"):
        assert one(objects, "NetworkPolicy", name)["spec"]["podSelector"]["matchLabels"] == labels
    for spread in pod_of(objects)["spec"]["topologySpreadConstraints"]:
        assert spread["labelSelector"]["matchLabels"] == labels
    monitor = one(objects, "ServiceMonitor")["spec"]
    assert monitor["selector"]["matchLabels"].items() <= one(objects, "Service")["metadata"]["labels"].items()


def test_every_port_that_is_named_exists(kustomize: Path) -> None:
    objects = build(kustomize, "monitoring")
    (container,) = pod_of(objects)["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"https": 9797, "metrics": 9798}
    assert {port["name"]: port["targetPort"] for port in one(objects, "Service")["spec"]["ports"]} == {
        "https": "https",
        "metrics": "metrics",
    }
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] == "https"
        assert container[probe]["httpGet"]["scheme"] == "HTTPS"
    assert f"--port={ports['https']}" in container["args"]
    assert f"--metrics-port={ports['metrics']}" in container["args"]


def test_a_pod_has_the_time_to_drain_before_it_is_killed(kustomize: Path) -> None:
    spec = pod_of(build(kustomize))["spec"]
    (container,) = spec["containers"]
    (drain,) = (float(a.partition("=")[2]) for a in container["args"] if a.startswith("--drain-delay="))
    readiness = container["readinessProbe"]
    assert readiness["periodSeconds"] * readiness["failureThreshold"] <= drain
    assert drain + 8 < spec["terminationGracePeriodSeconds"]


def test_only_eso_and_a_labelled_pod_may_connect_and_the_server_connects_to_nothing(kustomize: Path) -> None:
    spec = one(build(kustomize), "NetworkPolicy")["spec"]
    assert "egress" not in spec  # an empty list would be a change at every apply
    assert sorted(spec["policyTypes"]) == ["Egress", "Ingress"]
    (rule,) = spec["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": "https"}]
    assert rule["from"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "external-secrets"}}},
        {"namespaceSelector": {}, "podSelector": {"matchLabels": {"run": "arcan-test"}}},
    ]


def test_the_scraper_may_connect_to_the_metrics_and_to_nothing_else(kustomize: Path) -> None:
    (rule,) = one(build(kustomize, "monitoring"), "NetworkPolicy", "arcan-metrics")["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": "metrics"}]
    assert all(peer.keys() == {"namespaceSelector", "podSelector"} for peer in rule["from"])


def test_on_openshift_no_user_is_named_and_eso_is_elsewhere(kustomize: Path) -> None:
    """The SCC restricted-v2 chooses uid and fsGroup from the namespace's range."""
    objects = build(kustomize, "openshift")
    context = pod_of(objects)["spec"]["securityContext"]
    assert context == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    (rule,) = one(objects, "NetworkPolicy")["spec"]["ingress"]
    assert rule["from"][0]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "external-secrets-operator"
    }


def test_a_certificate_says_what_the_stores_connect_to(kustomize: Path) -> None:
    objects = build(kustomize, "cert-manager")
    spec = one(objects, "Certificate")["spec"]
    assert "arcan.arcan.svc" in spec["dnsNames"]
    tls = next(volume for volume in pod_of(objects)["spec"]["volumes"] if volume["name"] == "tls")
    assert tls["secret"]["secretName"] == spec["secretName"]
    root = one(objects, "Certificate", "arcan-root")["spec"]
    assert one(objects, "Issuer")["spec"]["ca"]["secretName"] == root["secretName"]
    assert root["privateKey"]["rotationPolicy"] == "Never"  # or clients would no longer trust a renewed one


@pytest.mark.parametrize("components", [(), ("own-ca",), ("cert-manager",), ("openshift", "monitoring")])
def test_the_server_always_gets_a_certificate_and_never_makes_a_ca(
    components: tuple[str, ...], kustomize: Path
) -> None:
    (container,) = pod_of(build(kustomize, *components))["spec"]["containers"]
    assert "--tls-cert=/etc/arcan/tls/tls.crt" in container["args"]
    assert "--tls-key=/etc/arcan/tls/tls.key" in container["args"]
    assert not any(argument.startswith("--data-dir") for argument in container["args"])
    assert all(mount["readOnly"] for mount in container["volumeMounts"])


def test_no_secret_is_ever_among_the_objects(kustomize: Path) -> None:
    assert names(build(kustomize, *ALL_TOGETHER), "Secret") == []
