"""What is around the ExternalSecrets: ESO, the server, Argo CD, OpenShift; and who may do what."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from arcan_gitops.doctor.asking import token_places
from arcan_gitops.doctor.facts import Facts, Known, LogLine, Object, Question, Unread, dig, moment
from arcan_gitops.doctor.findings import Place
from arcan_gitops.doctor.many import rights
from arcan_gitops.doctor.reader import Reader, together
from arcan_gitops.eso.objects import StoreKind

ESO_LABEL: Final = "app.kubernetes.io/name=external-secrets"
SERVER_NAMESPACE: Final = "arcan"
OPENSHIFT: Final = "security.openshift.io"
ARGO_CD: Final = "argoproj.io"
_PRIVILEGED: Final = "system:openshift:scc:privileged"
_RBAC: Final = "rbac.authorization.k8s.io"
_MOST_LINES: Final = 2000


def installation(facts: Facts, reader: Reader) -> dict[str, Any]:
    """More fields of the facts: the Deployments, what their pods and log say, and Argo CD's Applications."""
    deployments, servers, applications, privileged = together(
        lambda: reader.objects("deployments.apps", "-A", "-l", ESO_LABEL),
        lambda: reader.objects("deployments.apps", "-n", SERVER_NAMESPACE),
        lambda: reader.objects(f"applications.{ARGO_CD}", "-A") if ARGO_CD in facts.groups else (),
        lambda: _bindings(reader) if OPENSHIFT in facts.groups else (),
    )
    if isinstance(deployments, Unread):
        home = _home(facts)
        nearer = reader.objects("deployments.apps", "-n", home, "-l", ESO_LABEL)
        deployments = deployments if isinstance(nearer, Unread) else nearer
    pods: list[Object] = []
    for one in [*_all(deployments), *_all(servers)]:
        if not (dig(one, "status", "availableReplicas") or 0):
            labels = dig(one, "spec", "selector", "matchLabels") or {}
            selector = ",".join(f"{name}={value}" for name, value in labels.items())
            pods += _all(reader.objects("pods", "-n", one["metadata"]["namespace"], "-l", selector))
    return {
        "deployments": deployments,
        "servers": servers,
        "pods": tuple(pods),
        "log": _log(facts, deployments, reader),
        "applications": applications,
        "privileged": _privileged(privileged),
    }


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


def _log(facts: Facts, deployments: Known[tuple[Object, ...]], reader: Reader) -> Known[tuple[LogLine, ...]]:
    """ESO's lines about refreshes that failed, of the last hour."""
    found = controller(deployments)
    if found is None or not (dig(found, "status", "availableReplicas") or 0):
        return ()
    metadata = found["metadata"]
    place = f"deployment/{metadata['name']}"
    printed = reader.text("logs", "-n", metadata["namespace"], place, f"--tail={_MOST_LINES}", "--since=1h")
    if isinstance(printed, Unread):
        return printed
    lines = (log_line(line) for line in printed.split("\n"))
    return tuple(line for line in lines if line is not None and line.place in facts.by_place)


def log_line(text: str) -> LogLine | None:
    """A line of ESO's (JSON, by zap); None where it is not about an ExternalSecret that failed."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    place = dig(found, "ExternalSecret", "namespace"), dig(found, "ExternalSecret", "name")
    if dig(found, "level") != "error" or not all(isinstance(part, str) for part in place):
        return None
    at = found.get("ts")  # the chart's default is seconds since 1970
    time = datetime.fromtimestamp(at, UTC) if isinstance(at, (int, float)) else moment(at)
    return LogLine(place, time, str(found.get("error", "")))


def _bindings(reader: Reader) -> tuple[Object, ...] | Unread:
    return reader.objects(f"rolebindings.{_RBAC},clusterrolebindings.{_RBAC}", "-A")


def _privileged(bindings: tuple[Object, ...] | Unread) -> Known[tuple[Place, ...]]:
    if isinstance(bindings, Unread):
        return bindings
    return tuple(
        (subject.get("namespace") or one["metadata"].get("namespace", ""), subject["name"])
        for one in bindings
        if dig(one, "roleRef", "name") == _PRIVILEGED
        for subject in one.get("subjects") or ()
        if subject.get("kind") == "ServiceAccount"
    )


def may(reader: Reader, facts: Facts) -> dict[Question, Known[bool]]:
    """What ESO may do where Secrets are made, and who else may read them."""
    namespaces = sorted(facts.in_namespace)
    found = controller(facts.deployments)
    account = dig(found, "spec", "template", "spec", "serviceAccountName") if found is not None else None
    eso: list[Question] = []
    if found is not None and account:
        who = f"system:serviceaccount:{found['metadata']['namespace']}:{account}"
        eso = [Question(who, verb, "secrets", "") for verb in ("get", "create", "update")]
        everywhere = rights(reader, eso) if len(namespaces) > 1 else {}
        if not all(everywhere.get(each) is True for each in eso):
            eso = [replace(each, namespace=namespace) for namespace in namespaces for each in eso]
    others = [Question(everybody_of(namespace), "get", "secrets", namespace) for namespace in namespaces]
    return rights(reader, [*eso, *others])


def everybody_of(namespace: str) -> str:
    """The service account that a pod has unless it says otherwise: it stands for every pod."""
    return f"system:serviceaccount:{namespace}:default"
