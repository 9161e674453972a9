"""Commands that mend what was found, to paste. The context that the doctor was given is in each of them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from arcan_gitops.doctor.facts import Facts, Repository, dig
from arcan_gitops.doctor.findings import Place
from arcan_gitops.doctor.surroundings import controller


def edited(setting: str) -> str:
    """Have somebody change `kustomize/arcan.yaml`, and generate what follows from it."""
    return f"${{EDITOR:-vi}} kustomize/arcan.yaml && arcan generate overlays   # {setting}"


def overlay(facts: Facts) -> str:
    """The name of the overlay of this cluster; `OVERLAY` where it is not known."""
    return (facts.repository.overlay if isinstance(facts.repository, Repository) else "") or "OVERLAY"


def applied(facts: Facts, places: Iterable[Place] | None = None) -> tuple[str, ...]:
    """Apply what is generated; none where Git declares none of the ExternalSecrets."""
    declared = facts.repository.declared if isinstance(facts.repository, Repository) else {}
    if places is not None and declared.keys().isdisjoint(places):
        return ()
    return (facts.kubectl("apply", "--server-side", "-k", f"kustomize/overlays/{overlay(facts)}"),)


def bootstrapped(facts: Facts, place: Place | None = None) -> str:
    """Make what a cluster needs and Git does not hold; `place` is a Secret to make anew."""
    context = f"kubectl config use-context {shlex.quote(facts.context)} && " if facts.context else ""
    replace = f"REPLACE={place[0]}/{place[1]} " if place is not None else ""
    return f"{context}arcan bootstrap {overlay(facts)} > bootstrap.sh && {replace}bash bootstrap.sh"


def doctor(facts: Facts, *arguments: str) -> str:
    """Ask the doctor again."""
    context = ("--context", facts.context) if facts.context else ()
    return shlex.join(("arcan", "doctor", *arguments, *context))


def helm(facts: Facts, *settings: str) -> str:
    """Change settings of ESO's release."""
    metadata = dig(controller(facts.deployments), "metadata") or {}
    release = dig(metadata, "annotations", "meta.helm.sh/release-name") or "external-secrets"
    context = (f"--kube-context={facts.context}",) if facts.context else ()
    words = ("helm", "upgrade", release, "external-secrets/external-secrets", *context)
    place = ("-n", metadata.get("namespace", "external-secrets"))
    return shlex.join((*words, *place, "--reuse-values", *(w for one in settings for w in ("--set", one))))


def log_of_eso(facts: Facts) -> str:
    """Show the log of ESO's controller."""
    metadata = dig(controller(facts.deployments), "metadata") or {}
    name = metadata.get("name", "external-secrets")
    namespace = metadata.get("namespace", "external-secrets")
    return facts.kubectl("logs", "-n", namespace, f"deployment/{name}", "--since=1h")


def restarted(facts: Facts) -> tuple[str, ...]:
    """Look whether ESO runs, and start its controller anew."""
    found = controller(facts.deployments)
    look = facts.kubectl("get", "deployments", "-A", "-l", "app.kubernetes.io/name=external-secrets")
    if found is None:
        return (look,)
    name, namespace = found["metadata"]["name"], found["metadata"]["namespace"]
    return look, facts.kubectl("rollout", "restart", f"deployment/{name}", "-n", namespace)


def linted(facts: Facts, kind: str, name: str, namespace: str) -> str:
    """Have lint say what is wrong with an object as it is in the cluster, and where."""
    place = ("-n", namespace) if namespace else ()
    return f"{facts.kubectl('get', kind.lower(), name, *place, '-o', 'yaml')} | arcan lint manifests -"
