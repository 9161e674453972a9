"""ESO itself: its CRDs, its Deployment, its rights."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from arcan_gitops.doctor.check import Check
from arcan_gitops.doctor.facts import Facts, Object, Unread, condition, dig
from arcan_gitops.doctor.findings import Found, NotDone, error, warning
from arcan_gitops.doctor.fixes import edited, helm
from arcan_gitops.doctor.surroundings import OPENSHIFT, controller, everybody_of

KINDS = ("ExternalSecret", "SecretStore", "ClusterSecretStore")
_REPOSITORY: Final = "helm repo add external-secrets https://charts.external-secrets.io"
_UID = "security context constraint"


def crds(facts: Facts) -> Iterator[Found | NotDone]:
    """Which versions the API server serves, and which kinds."""
    where = "external-secrets.io"
    if not facts.eso_versions:
        what = "the API server does not have it: ESO's CustomResourceDefinitions are not there (yet)"
        yield error(where, what, *_apply(facts))
    elif "v1" not in facts.eso_versions:
        served = ", ".join(facts.eso_versions)
        what = f"the API server has {served} and not v1, which all manifests here are: ESO is older than 0.16"
        yield error(where, what, *_apply(facts))
    elif isinstance(facts.kinds, frozenset):
        for kind in KINDS:
            if kind not in facts.kinds:
                what = (
                    f'no kind "{kind}" in external-secrets.io/v1: its CustomResourceDefinition is not there'
                )
                yield error(where, what, *_apply(facts))


def _apply(facts: Facts) -> tuple[str, ...]:
    """Where Argo CD installs ESO, its Application comes first."""
    for one in facts.applications if isinstance(facts.applications, tuple) else ():
        if dig(one, "spec", "source", "chart") == "external-secrets":
            return (refreshed(one, facts),)
    context = (f"--kube-context={facts.context}",) if facts.context else ()
    words = ("helm", "upgrade", "--install", "external-secrets", "external-secrets/external-secrets")
    return _REPOSITORY, shlex.join(
        (*words, *context, "--namespace", "external-secrets", "--create-namespace")
    )


def refreshed(application: Object, facts: Facts) -> str:
    """The command that makes Argo CD look at an Application again."""
    metadata = application["metadata"]
    words = ("application", metadata["name"], "-n", metadata["namespace"])
    return facts.kubectl("annotate", *words, "argocd.argoproj.io/refresh=hard", "--overwrite")


def running(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether ESO's controller is there, and runs."""
    if isinstance(facts.deployments, Unread):
        yield facts.deployments.not_done("whether ESO runs")
        return
    found = controller(facts.deployments)
    of = [external.place for external in facts.externals]
    if found is None:
        if facts.externals and not any(dig(external.object, "status") for external in facts.externals):
            what = (
                "no Deployment with the label app.kubernetes.io/name=external-secrets, and no status by ESO"
            )
            yield error("ESO", what, *_apply(facts), of=of)
        return
    yield from _available(found, facts, "ESO's controller does not run: nothing is refreshed", of)


def server(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether the Arcan server of this cluster runs."""
    for one in facts.servers if isinstance(facts.servers, tuple) else ():
        yield from _available(one, facts, "the server does not run", [])


def _available(one: Object, facts: Facts, what: str, of: list[tuple[str, str]]) -> Iterator[Found]:
    namespace, name = one["metadata"]["namespace"], one["metadata"]["name"]
    where = f"Deployment {namespace}/{name}"
    if dig(one, "status", "availableReplicas"):
        return
    if dig(one, "spec", "replicas") == 0:
        fix = facts.kubectl("scale", f"deployment/{name}", "-n", namespace, "--replicas=1")
        yield error(where, f"{what}: it is scaled to 0", fix, of=of)
        return
    if _UID in str(condition(one, "ReplicaFailure").get("message", "")):
        return  # `openshift-uid`
    looking = facts.kubectl("describe", "pods", "-n", namespace, "-l", _selector(one))
    yield error(where, what, looking, facts.kubectl("get", "events", "-n", namespace), of=of)


def _selector(one: Object) -> str:
    labels = dig(one, "spec", "selector", "matchLabels") or {}
    return ",".join(f"{name}={value}" for name, value in labels.items())


def watching(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether ESO looks at the namespaces at all."""
    found = controller(facts.deployments)
    if found is None:
        return
    metadata = found["metadata"]
    for word in _arguments(found):
        flag, _, namespace = word.partition("=")
        if flag != "--namespace" or not namespace:
            continue
        of = [external.place for external in facts.externals if external.place[0] != namespace]
        if of:
            what = f"ESO was told to look at namespace {namespace} alone (scopedNamespace of its chart)"
            fix = helm(facts, "scopedNamespace=", "scopedRBAC=false")
            yield error(f"Deployment {metadata['namespace']}/{metadata['name']}", what, fix, of=of)


def _arguments(found: Object) -> list[str]:
    containers = dig(found, "spec", "template", "spec", "containers") or ()
    return [word for container in containers for word in container.get("args") or ()]


def rights(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether ESO's service account may read and write the Secrets of the namespaces."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for question, answer in facts.may.items():
        if question.who == everybody_of(question.namespace):
            continue
        if isinstance(answer, Unread):
            yield NotDone("whether ESO may write Secrets", answer.why, (answer.command,))
        elif not answer:
            lacking.setdefault((question.who, question.namespace), []).append(question.verb)
    for (who, namespace), verbs in lacking.items():
        of = [external.place for external in facts.in_namespace.get(namespace, ())]
        what = f"may not {', '.join(verbs)} Secrets in namespace {namespace}"
        look = facts.kubectl("auth", "can-i", "--list", "-n", namespace, f"--as={who}")
        yield error(who, what, look, helm(facts, "rbac.create=true"), of=of)


def openshift_uid(facts: Facts) -> Iterator[Found | NotDone]:
    """Pods that OpenShift refuses for the uid that they ask for."""
    found = (*_tuple(facts.deployments), *_tuple(facts.servers))
    for one in found:
        if _UID not in str(condition(one, "ReplicaFailure").get("message", "")):
            continue
        namespace, name = one["metadata"]["namespace"], one["metadata"]["name"]
        what = "OpenShift refuses its pods: they ask for a uid, and it gives each namespace uids of its own"
        if namespace == "arcan":
            fix = edited("components: [openshift]")
        else:
            fix = helm(facts, "global.compatibility.openshift.adaptSecurityContext=auto")
        yield error(f"Deployment {namespace}/{name}", what, fix, of=[one.place for one in facts.externals])


def openshift_privileged(facts: Facts) -> Iterator[Found | NotDone]:
    """Service accounts that were let be root on their node: no image is pulled the better for it."""
    if OPENSHIFT not in facts.groups:
        return
    if isinstance(facts.privileged, Unread):
        yield facts.privileged.not_done("who has the SCC privileged")
        return
    concerned = {external.place[0] for external in facts.externals} | {"arcan"}
    concerned |= {one["metadata"]["namespace"] for one in _tuple(facts.deployments)}
    for namespace, name in facts.privileged or ():
        if namespace in concerned:
            what = "has the SCC privileged: its pods may be root on their node, and no fault of ESO needs it"
            context = (f"--context={facts.context}",) if facts.context else ()
            words = ("oc", "adm", "policy", "remove-scc-from-user", "privileged", "-z", name, "-n", namespace)
            fix = shlex.join((*words, *context))
            yield warning(f"ServiceAccount {namespace}/{name}", what, fix)


def images(facts: Facts) -> Iterator[Found | NotDone]:
    """Images that a node cannot pull."""
    for pod in _tuple(facts.pods):
        namespace = pod["metadata"]["namespace"]
        for status in dig(pod, "status", "containerStatuses") or ():
            reason = dig(status, "state", "waiting", "reason")
            if reason in ("ImagePullBackOff", "ErrImagePull", "InvalidImageName"):
                account = dig(pod, "spec", "serviceAccountName") or "default"
                what = (
                    f"{reason}: the node cannot pull {status.get('image', 'the image')}; no SCC changes that"
                )
                patch = '{"imagePullSecrets": [{"name": "registry"}]}'
                yield error(
                    f"Pod {namespace}/{pod['metadata']['name']}",
                    what,
                    facts.kubectl("describe", "pod", pod["metadata"]["name"], "-n", namespace),
                    facts.kubectl("patch", "serviceaccount", account, "-n", namespace, "-p", patch),
                )


def _tuple(found: tuple[Object, ...] | Unread | None) -> tuple[Object, ...]:
    return found if isinstance(found, tuple) else ()


CHECKS = (
    Check("eso-crds", "the kinds and versions of external-secrets.io that are served", "nothing", crds),
    Check("eso-running", "ESO's Deployment", "to list Deployments", running),
    Check("eso-namespace", "the namespace that ESO was limited to", "to list Deployments", watching),
    Check(
        "eso-rights",
        "what ESO's service account may do with Secrets",
        "to create LocalSubjectAccessReviews, or to impersonate it",
        rights,
    ),
    Check("server-running", "the Deployment of the Arcan server", "to list Deployments in arcan", server),
    Check("image-pull", "pods whose image cannot be pulled", "to list pods", images),
    Check("openshift-uid", "pods that OpenShift refuses for their uid", "to list Deployments", openshift_uid),
    Check(
        "openshift-privileged",
        "service accounts with the SCC privileged",
        "to list RoleBindings",
        openshift_privileged,
    ),
)
