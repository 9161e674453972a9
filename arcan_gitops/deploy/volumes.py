"""The volumes of a server's Deployment: its realms, at their paths below the folder of all of them.

A realm of documents is in the one volume `realms`, each file at its path. An environment of key files has a
volume of its own, whose sources name no files: 10,000 of them would be 1 MB of Deployment. Such a volume is
mounted inside another one, and there the kubelet makes the folder for it before it lays out the files
(k8s.io/kubernetes pkg/volume/util/nested_volumes.go); where a folder of that name is to hold files too, it
leaves these out (atomic_writer.go, createUserVisibleFiles). So a realm with key files has a volume for the
files beside them as well, and nothing in `realms`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any, Final

from arcan_gitops.deploy.names import SERVER_NAMESPACE
from arcan_gitops.deploy.realms import (
    RealmFolder,
    beside_map,
    document_file,
    document_map,
    removed_folder,
    removed_map,
)
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.overlay.manifest import Manifest

_ALL: Final = "realms"  # the volume, as the base has it, and where it is mounted
_MOUNTED: Final = "/etc/arcan/realms"
_MODE: Final = 0o444
_READABLE: Final = 50  # characters of a volume's name, which is a DNS label, before its digest

Source = dict[str, Any]


def volume_patch(
    folders: Iterable[RealmFolder], selected: Set[tuple[RealmName, EnvironmentName]]
) -> Manifest:
    """The patch of the Deployment for the selected environments of these realms."""
    together: list[Source] = []
    volumes: list[dict[str, Any]] = []
    mounts: list[dict[str, Any]] = []

    def add(name: str, path: str, sources: list[Source]) -> None:
        volumes.append({"name": name, "projected": {"defaultMode": _MODE, "sources": sources}})
        mounts.append({"name": name, "mountPath": f"{_MOUNTED}/{path}", "readOnly": True})

    for folder in folders:
        chosen = [name for name in folder.environments if (folder.realm, name) in selected]
        in_files = [name for name in chosen if name in folder.keys]
        if not in_files:
            together += _beside_key_files(folder, chosen, f"{folder.realm}/")
            continue
        if sources := [*_beside_key_files(folder, chosen, "")]:
            add(_name(folder.realm), folder.realm, sources)
        for name in in_files:
            shards = folder.shards_of(name)
            add(
                _name(folder.realm, name),
                f"{folder.realm}/{name}",
                [{"configMap": {"name": shard}} for shard in shards],
            )
    spec: dict[str, Any] = {"volumes": [{"name": _ALL, "projected": {"sources": together}}, *volumes]}
    if mounts:
        spec = {"containers": [{"name": "arcan", "volumeMounts": mounts}], **spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "arcan", "namespace": str(SERVER_NAMESPACE)},
        "spec": {"template": {"spec": spec}},
    }


def _beside_key_files(folder: RealmFolder, chosen: Sequence[EnvironmentName], below: str) -> Iterator[Source]:
    """Everything of a realm but its key files, at paths that begin with `below`."""
    for name in chosen:
        if name in folder.documents:
            yield _source(document_map(folder.realm, name), below, [document_file(name)])
        if records := folder.removed.get(name):
            yield _source(removed_map(folder.realm, name), f"{below}{removed_folder(name)}/", sorted(records))
    if folder.beside:
        yield _source(beside_map(folder.realm), below, sorted(folder.beside))


def _source(config_map: str, below: str, files: Sequence[str]) -> Source:
    items = [{"key": file, "path": f"{below}{file}"} for file in files]
    return {"configMap": {"name": config_map, "items": items}}


def _name(realm: RealmName, environment: EnvironmentName | None = None) -> str:
    """A volume's name: a DNS label, and another one for each place."""
    parts = [part for part in (realm, environment) if part is not None]
    readable = "-".join(parts)[:_READABLE].rstrip("-")
    return f"{readable}-{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:8]}"
