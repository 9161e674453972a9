"""What is around the ExternalSecrets: ESO, the server, Argo CD, OpenShift; and who may do what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from arcan_gitops.doctor.asking import token_places
from arcan_gitops.doctor.facts import Facts, Known, Object, Question, Unread, dig
from arcan_gitops.doctor.findings import Place
from arcan_gitops.doctor.reader import Reader
from arcan_gitops.eso.objects import StoreKind

ESO_LABEL: Final = "app.kubernetes.io/name=external-secrets"
SERVER_NAMESPACE: Final = "arcan"
OPENSHIFT: Final = "security.openshift.io"
ARGO_CD: Final = "argoproj.io"
_PRIVILEGED: Final = "system:openshift:scc:privileged"
_MOST_LINES: Final = 2000


def with_installation(facts: Facts, reader: Reader) -> Facts:
    """The facts, with the Deployments, what their pods and log say, and Argo CD's Applications."""
    deployments = reader.objects("deployments.apps", "-A", "-l", ESO_LABEL)
    if isinstance(deployments, Unread):
        home = _home(facts)
        nearer = reader.objects("deployments.apps", "-n", home, "-l", ESO_LABEL)
        deployments = deployments if isinstance(nearer, Unread) else nearer
    servers = reader.objects("deployments.apps", "-n", SERVER_NAMESPACE)
    pods: list[Object] = []
    for one in [*_all(deployments), *_all(servers)]:
        if not (dig(one, "status", "availableReplicas") or 0):
            labels = dig(one, "spec", "selector", "matchLabels") or {}
            selector = ",".join(f"{name}={value}" for name, value in labels.items())
            pods += _all(reader.objects("pods", "-n", one["metadata"]["namespace"], "-l", selector))
    applications: Known[tuple[Object, ...]] = ()
    if ARGO_CD in facts.groups:
        applications = reader.objects(f"applications.{ARGO_CD}", "-A")
    return replace(
        facts,
        deployments=deployments,
        servers=servers,
        pods=tuple(pods),
        log=_log(facts, deployments, reader),
        applications=applications,
        privileged=_privileged(reader) if OPENSHIFT in facts.groups else (),
    )


def _all(found: tuple[Object, ...] | Unread) -> tuple[Object, ...]:
    return () if isinstance(found, Unread) else found


def _home(facts: Facts) -> str:
    """The namespace of ESO, as the stores know it."""
    for store in facts.read_stores():
        if store.parsed is not None and store.id.kind is StoreKind.CLUSTER_SECRET_STORE:
            return next((p.namespace for p in token_places(store.parsed)), "external-secrets")
    return "external-secrets"


def controller(deployments: Known[tuple[Object, ...]]) -> Object | None:
    """The Deployment of ESO's controller among its chart's: neither its webhook nor its cert controller."""
    for one in deployments if isinstance(deployments, tuple) else ():
        containers = dig(one, "spec", "template", "spec", "containers") or ()
        words = [word for container in containers for word in container.get("args") or ()]
        if not {"webhook", "certcontroller"} & set(words):
            return one
    return None


def _log(facts: Facts, deployments: Known[tuple[Object, ...]], reader: Reader) -> Known[tuple[str, ...]]:
    """ESO's lines about the one ExternalSecret, or about limits of a provider."""
    found = controller(deployments)
    if found is None or not (dig(found, "status", "availableReplicas") or 0):
        return ()
    metadata = found["metadata"]
    place = f"deployment/{metadata['name']}"
    printed = reader.text("logs", "-n", metadata["namespace"], place, f"--tail={_MOST_LINES}", "--since=1h")
    if isinstance(printed, Unread):
        return printed
    names = {external.place[1] for external in facts.externals}
    lines = printed.split("\n")
    return tuple(line for line in lines if "error" in line and any(name in line for name in names))


def _privileged(reader: Reader) -> Known[tuple[Place, ...]]:
    bindings = reader.objects("rolebindings.rbac.authorization.k8s.io", "-A")
    if isinstance(bindings, Unread):
        return bindings
    return tuple(
        (subject.get("namespace") or one["metadata"]["namespace"], subject["name"])
        for one in bindings
        if dig(one, "roleRef", "name") == _PRIVILEGED
        for subject in one.get("subjects") or ()
        if subject.get("kind") == "ServiceAccount"
    )


def with_rights(facts: Facts, reader: Reader) -> Facts:
    """The facts, with what ESO may do where Secrets are made, and who else may read them."""
    asked: list[Question] = []
    found = controller(facts.deployments)
    account = dig(found, "spec", "template", "spec", "serviceAccountName") if found is not None else None
    for namespace in sorted({external.place[0] for external in facts.externals}):
        if found is not None and account:
            who = f"system:serviceaccount:{found['metadata']['namespace']}:{account}"
            asked += [Question(who, verb, "secrets", namespace) for verb in ("get", "create", "update")]
        asked.append(Question(everybody_of(namespace), "get", "secrets", namespace))
    may: Mapping[Question, Any] = {
        each: reader.may(each.verb, each.resource, each.namespace, each.who) for each in asked
    }
    return replace(facts, may=may)


def everybody_of(namespace: str) -> str:
    """The service account that a pod has unless it says otherwise: it stands for every pod."""
    return f"system:serviceaccount:{namespace}:default"
