"""A Job that tries from where ESO is: the network, then each read, with the same token and the same CA.

It runs the image of the server in the namespace of the token's Secret, under Pod Security's `restricted`. The
NetworkPolicy of the server lets it in by its label. The token and the CA are mounted; neither is in the Job.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from arcan_gitops.doctor.asking import ca_place, endpoint, token_places
from arcan_gitops.doctor.facts import External, Facts, Object, StoreRead, dig
from arcan_gitops.errors import ArcanError
from arcan_gitops.yamlio import emit

NAME: Final = "arcan-doctor"
LABELS: Final = {"run": "arcan-test"}  # what the NetworkPolicy of the server lets in
_SECONDS: Final = 120
_MANIFESTS: Final = "manifests.yaml"


def in_cluster(facts: Facts, image: str | None) -> list[dict[str, Any]]:
    """The ConfigMap with the manifests, and the Job. Raises `ArcanError` where no webhook store is read."""
    if not facts.externals:
        raise ArcanError("there is no such ExternalSecret", hint="kubectl get externalsecrets -A")
    external = facts.externals[0]
    stores = [
        store
        for _, store in facts.stores_of(external)
        if isinstance(store, StoreRead) and store.parsed is not None and store.parsed.webhook is not None
    ]
    if not stores:
        raise ArcanError(
            f"{external} reads no webhook store that is there: a Job could try nothing",
            hint=facts.kubectl("describe", "externalsecret", external.place[1], "-n", external.place[0]),
        )
    namespace, sources = _mounts(stores, external)
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": NAME, "namespace": namespace},
            "data": {
                _MANIFESTS: emit([_bare(one) for one in (external.object, *(s.object for s in stores))])
            },
        },
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": NAME, "namespace": namespace},
            "spec": {
                "backoffLimit": 0,
                "activeDeadlineSeconds": _SECONDS,
                "ttlSecondsAfterFinished": 600,
                "template": {
                    "metadata": {"labels": LABELS},
                    "spec": _pod(stores, external, sources, image or _image(facts)),
                },
            },
        },
    ]


def _image(facts: Facts) -> str:
    """That of the server's Deployment."""
    for one in facts.servers if isinstance(facts.servers, tuple) else ():
        for container in dig(one, "spec", "template", "spec", "containers") or ():
            if "arcan" in str(container.get("name")):
                return str(container["image"])
    raise ArcanError(
        "which image? there is no Deployment of the server in namespace arcan",
        hint="name one that has arcan in it: --image ghcr.io/OWNER/arcan:TAG",
    )


def _mounts(stores: list[StoreRead], external: External) -> tuple[str, dict[str, dict[str, Any]]]:
    """The namespace that the token's Secret is in, and a volume for each Secret and CA there."""
    namespace, sources = "", {}
    for number, store in enumerate(stores):
        assert store.parsed is not None
        for place in token_places(store.parsed):
            namespace = namespace or place.namespace
            if place.namespace == namespace:
                item = {"key": place.key, "path": "token"}
                sources[f"token-{number}"] = {"secret": {"secretName": place.secret, "items": [item]}}
        ca = ca_place(store.parsed)
        if ca is not None and ca[1] == (namespace or ca[1]):
            namespace = namespace or ca[1]
            items = [{"key": ca[3], "path": "ca.crt"}]
            if ca[0] == "Secret":
                sources["ca"] = {"secret": {"secretName": ca[2], "items": items}}
            else:
                sources["ca"] = {"configMap": {"name": ca[2], "items": items}}
    return namespace or external.place[0], sources


def _pod(
    stores: list[StoreRead], external: External, sources: Mapping[str, dict[str, Any]], image: str
) -> dict[str, Any]:
    read = ["simulate", "--filename", f"/doctor/manifests/{_MANIFESTS}"]
    for number, store in enumerate(stores):
        if f"token-{number}" in sources:
            read += ["--token", f"{store.id.name}=/doctor/token-{number}/token"]
    if "ca" in sources:
        read += ["--ca-file", "/doctor/ca/ca.crt"]
    containers = [_container("read", image, read, sources)]
    place = endpoint(stores[0].parsed) if stores[0].parsed is not None else None
    if place is not None and place[0] == "https":
        host = f"[{place[1]}]" if ":" in place[1] else place[1]
        words = ["ca", "fetch", f"https://{host}:{place[2]}"]
        containers.insert(0, _container("network", image, words, {}))
    volumes = [{"name": "manifests", "configMap": {"name": NAME}}]
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": containers,
        "volumes": [*volumes, *({"name": name, **source} for name, source in sources.items())],
    }


def _container(
    name: str, image: str, arguments: list[str], sources: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    mounts = [
        {"name": each, "mountPath": f"/doctor/{each}", "readOnly": True} for each in ("manifests", *sources)
    ]
    return {
        "name": name,
        "image": image,
        "args": arguments,
        "resources": {
            "requests": {"cpu": "50m", "memory": "128Mi"},
            "limits": {"cpu": "1", "memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        **({"volumeMounts": mounts} if sources or name == "read" else {}),
    }


def _bare(found: Object) -> dict[str, Any]:
    """An object as somebody would write it."""
    metadata = {key: found["metadata"][key] for key in ("name", "namespace") if key in found["metadata"]}
    return {
        "apiVersion": found["apiVersion"],
        "kind": found["kind"],
        "metadata": metadata,
        "spec": found["spec"],
    }
