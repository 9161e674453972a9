"""Manifests that people wrote, anywhere in the repository: of ESO and of Argo CD, and what they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from arcan_gitops.overlay.settings import SETTINGS_FILE
from arcan_gitops.overlay.tree import COMMAND, is_generated_text
from arcan_gitops.review.objects import Objects
from arcan_gitops.review.state import APPS, CLUSTERS, KUSTOMIZE, OVERLAYS, REALMS, State
from arcan_gitops.webhook import ENVIRONMENT_PARAMETER, PATH_PREFIX
from arcan_gitops.yamlio import InvalidFile, read_objects

_SUFFIXES: Final = (".yaml", ".yml", ".json")
_NO_MANIFESTS: Final = (REALMS, CLUSTERS, APPS, f"{KUSTOMIZE}schemas/", ".github/")
GENERATED: Final = (OVERLAYS, f"{KUSTOMIZE}argocd/")  # told of where they are not what generation makes
_OF_INTEREST: Final = (b"external-secrets.io", b"argoproj.io")
_LONGEST: Final = 4096  # characters of a url that are looked at
_STORES: Final = ("SecretStore", "ClusterSecretStore")
_OURS: Final = re.compile(
    rf"{PATH_PREFIX}/(?P<realm>[^/?]+)(?P<key>/[^?]*)?\?(?:[^#]*&)?{ENVIRONMENT_PARAMETER}=(?P<environment>[a-z0-9-]+)"
)


@dataclass(frozen=True, slots=True)
class Written:
    """One object. `body` is empty for a Secret: no value is kept."""

    path: str
    api_version: str
    kind: str
    namespace: str
    name: str
    body: Mapping[str, Any] = field(repr=False)

    @property
    def group(self) -> str:
        """Of its API: empty for Kubernetes's own oldest kinds."""
        return self.api_version.rpartition("/")[0]

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"


def is_manifest_path(path: str) -> bool:
    """Whether a file may hold manifests that are deployed; those of generated folders count too."""
    return (
        path.endswith(_SUFFIXES)
        and not path.startswith(_NO_MANIFESTS)
        and path != f"{KUSTOMIZE}{SETTINGS_FILE}"
    )


def objects_in(state: State, objects: Objects, path: str) -> tuple[Written, ...]:
    """The objects of one file; none where it is generated, no YAML, or a template of another program."""
    entry = state.tree.files.get(path)
    if entry is None or not entry.is_file:
        return ()
    found = objects.made(entry.blob, f"manifests {path}", lambda data: _parsed(data, path))
    return found or ()


def _parsed(data: bytes, path: str) -> tuple[Written, ...]:
    if is_generated_text(data[:200].decode("utf-8", "replace"), COMMAND):
        return ()
    return _read(data, path)


def _read(data: bytes, path: str) -> tuple[Written, ...]:
    try:
        documents = read_objects(data, path)
    except InvalidFile:
        return ()
    return tuple(_objects(documents, path))


def _objects(documents: list[Any], path: str) -> Iterator[Written]:
    for body in documents:
        if not isinstance(body, dict):
            continue
        kind, version = body.get("kind"), body.get("apiVersion")
        if not isinstance(kind, str) or not isinstance(version, str):
            continue
        if kind == "List" and isinstance(body.get("items"), list):
            yield from _objects(body["items"], path)
            continue
        about = body.get("metadata")
        names = about if isinstance(about, dict) else {}
        kept = {} if kind == "Secret" else body
        yield Written(path, version, kind, str(names.get("namespace", "")), str(names.get("name", "")), kept)


def written(state: State, objects: Objects) -> tuple[Written, ...]:
    """All of ESO and Argo CD that nothing generated, outside of the folders for what is generated."""
    paths = [
        path
        for path, entry in sorted(state.tree.files.items())
        if entry.is_file and is_manifest_path(path) and not path.startswith(GENERATED)
    ]
    objects.load(state.tree.files[path].blob for path in paths)
    return tuple(
        one
        for path in paths
        if _mentions(objects.seen(state.tree.files[path].blob))
        for one in objects_in(state, objects, path)
    )


def _mentions(data: bytes | None) -> bool:
    return data is not None and any(word in data for word in _OF_INTEREST)


def stores(state: State, objects: Objects, found: tuple[Written, ...]) -> tuple[Written, ...]:
    """The stores among them, and those that are generated."""
    paths = [path for path in state.tree.below(OVERLAYS) if path.endswith("/stores.yaml")]
    objects.load(state.tree.files[path].blob for path in paths)
    generated: list[Written] = []
    for path in paths:
        blob = state.tree.files[path].blob
        generated += objects.made(blob, f"stores {path}", partial(_read, path=path)) or ()
    return tuple(one for one in (*generated, *found) if one.kind in _STORES)


@dataclass(frozen=True, slots=True)
class Ask:
    """What one entry of an ExternalSecret asks for, and of which store; no key where it takes all."""

    store_kind: str
    store: str
    key: str
    property: str


def asks(one: Written) -> Iterator[Ask]:
    """What an ExternalSecret, or that of a ClusterExternalSecret, asks for."""
    spec = mapping(one.body.get("spec"))
    if one.kind == "ClusterExternalSecret":
        spec = mapping(spec.get("externalSecretSpec"))
    default = mapping(spec.get("secretStoreRef"))
    for name, of in (("data", "remoteRef"), ("dataFrom", "extract")):
        for entry in _list(spec.get(name)):
            ref = mapping(mapping(entry.get("sourceRef")).get("storeRef")) or default
            remote = mapping(entry.get(of))
            if not ref.get("name") or "generatorRef" in mapping(entry.get("sourceRef")):
                continue
            yield Ask(
                str(ref.get("kind") or "SecretStore"),
                str(ref["name"]),
                str(remote.get("key", "")),
                str(remote.get("property", "")),
            )


@dataclass(frozen=True, slots=True)
class Target:
    """An environment of a realm that a store asks, and the key; none for all of them."""

    realm: str
    environment: str
    key: str


def target(store: Written, ask: Ask) -> Target | None:
    """What a store of ours comes to for an entry; None where it asks somebody else."""
    webhook = mapping(mapping(mapping(store.body.get("spec")).get("provider")).get("webhook"))
    match = _OURS.search(str(webhook.get("url", ""))[:_LONGEST])
    if match is None:
        return None
    if "{{" in match["realm"]:  # the key is the realm, and the property the key
        return Target(ask.key, match["environment"], ask.property)
    return Target(match["realm"], match["environment"], ask.key if match["key"] else "")


def fits(store: Written, by: Written) -> bool:
    """Whether an entry names that one of the stores of its name. A namespace that is not written is whatever
    deploys it says.
    """
    if store.kind == "ClusterSecretStore" or by.kind == "ClusterExternalSecret":
        return True
    return not store.namespace or not by.namespace or store.namespace == by.namespace


def mapping(value: Any) -> Mapping[str, Any]:
    """The value where it is a mapping; else an empty one, for what people wrote may be anything."""
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
