"""The folder `clusters/`: one file for each Kubernetes cluster whose accounts may read realms."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from arcan_gitops.access import Cluster, one_key_in_two
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import KubeCluster
from arcan_gitops.realms.snapshot import Clusters, KnownCluster
from arcan_gitops.realms.tree import BadLayout, CannotRead, digest, read_file

SUFFIX: Final = ".yaml"
_BESIDE: Final = frozenset({"README.md", "kustomization.yaml"})


def cluster_files(folder: Path) -> tuple[dict[KubeCluster, Path], list[ArcanError]]:
    """The file of each cluster, by its name, and what has no place beside them. Raises `CannotRead`."""
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise CannotRead(
            f"{folder}: cannot be read: {error.strerror}", hint="give the folder of the clusters"
        ) from None
    found: dict[KubeCluster, Path] = {}
    problems: list[ArcanError] = []
    for path in entries:
        if path.name in _BESIDE or path.is_dir():
            continue
        try:
            if not path.name.endswith(SUFFIX):
                raise BadLayout("is not the file of a cluster", hint=f"it is named NAME{SUFFIX}")
            found[KubeCluster.parse(path.name.removesuffix(SUFFIX))] = path
        except ArcanError as error:
            problems.append(error.located(path))
    return found, problems


def read_clusters(folder: Path, before: Clusters) -> tuple[dict[str, KnownCluster], list[ArcanError]]:
    """The clusters as they are now; a file that is bad leaves its cluster as it was `before`.

    One signing key in two clusters: the one that changed is at fault. A key stays with the cluster that holds
    it now, also while that one changes, so that what is accepted never meets what another may have to go back
    to. Where neither was there before, nobody knows whose the key is, and neither is taken. Raises
    `CannotRead` for the folder.
    """
    files, problems = cluster_files(folder)
    found: dict[str, KnownCluster] = {}
    for name, path in files.items():
        held = before.get(name)
        try:
            data = read_file(path)
            key = digest(data)
            if held is None or held.digest != key:
                held = KnownCluster(Cluster.parse(data, str(path), name), key)
        except ArcanError as error:
            problems.append(error)
        if held is not None:
            found[name] = held
    return _separate(found, before, problems), problems


def _separate(
    found: Mapping[str, KnownCluster], before: Clusters, problems: list[ArcanError]
) -> dict[str, KnownCluster]:
    owners = {key.thumbprint: name for name in found if name in before for key in before[name].cluster.keys}
    kept: dict[str, KnownCluster] = {}
    for name, known in found.items():
        keys = [key.thumbprint for key in known.cluster.keys]
        owner = next((owners[key] for key in keys if owners.get(key, name) != name), None)
        if owner is not None:
            problems.append(one_key_in_two(owner, name))
            if owner not in before:
                kept.pop(owner, None)
            if name in before:
                kept[name] = before[name]
            continue
        kept[name] = known
        owners |= dict.fromkeys(keys, name)
    return kept
