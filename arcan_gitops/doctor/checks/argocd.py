"""Argo CD's Applications around the ExternalSecrets: which are not synced, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from arcan_gitops.doctor.check import Check
from arcan_gitops.doctor.checks.installation import refreshed
from arcan_gitops.doctor.facts import Facts, Object, Unread, dig
from arcan_gitops.doctor.findings import Found, NotDone, error, warning

_ESO: Final = "external-secrets.io"
_NO_KIND: Final = (
    "no matches for kind",
    "could not find the requested resource",
    "is registered",
    "not found in group",
)
_LONGEST: Final = 300


def applications(facts: Facts) -> Iterator[Found | NotDone]:
    """Applications of ESO, and of what is read by it."""
    if isinstance(facts.applications, Unread):
        yield facts.applications.not_done("Argo CD's Applications")
        return
    for one in facts.applications or ():
        if not _concerns(one, facts):
            continue
        where = f"Application {one['metadata']['namespace']}/{one['metadata']['name']}"
        sync, health = dig(one, "status", "sync", "status"), dig(one, "status", "health", "status")
        phase = dig(one, "status", "operationState", "phase")
        if (
            sync == "Synced"
            and phase in (None, "Succeeded", "Running")
            and health not in ("Degraded", "Missing")
        ):
            continue
        why = _why(one)
        namespace = dig(one, "spec", "destination", "namespace")
        of = [external.place for external in facts.in_namespace.get(namespace, ())]
        if any(sign in why for sign in _NO_KIND):
            what = "ESO's kinds were not there when it was applied: it comes after ESO's own Application"
            yield error(where, f"{what} ({why})", refreshed(one, facts), of=of)
        elif sync != "Synced" or phase in ("Failed", "Error"):
            said = f"is {sync or 'not known to be synced'}" + (f": {why}" if why else "")
            yield error(where, said, refreshed(one, facts), of=of)
        else:
            yield warning(
                where, f"is synced, and {health}" + (f": {why}" if why else ""), refreshed(one, facts)
            )


def _concerns(one: Object, facts: Facts) -> bool:
    resources = dig(one, "status", "resources") or ()
    if any(resource.get("group") == _ESO for resource in resources):
        return True
    if dig(one, "spec", "source", "chart") == "external-secrets":
        return True
    looked = {external.place[0] for external in facts.externals} | (
        {facts.wanted[0]} if facts.wanted else set()
    )
    return dig(one, "spec", "destination", "namespace") in looked


def _why(one: Object) -> str:
    said = [str(found.get("message", "")) for found in dig(one, "status", "conditions") or ()]
    said.append(str(dig(one, "status", "operationState", "message") or ""))
    text = "; ".join(filter(None, said))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


CHECKS = (Check("argocd", "Applications that are not synced, and why", "to list Applications", applications),)
