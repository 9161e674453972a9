"""`realms/<realm>/kustomization.yaml`: ConfigMaps of a realm's files, named by their content.

Kustomize reads no file outside a kustomization's own folder, so it stands beside the documents. The realm's
documents are one ConfigMap each, and so are the records of what was removed from each; `tokens.yaml` and
`realm.yaml` share another. The key files of an environment are one ConfigMap, or 16 or 256 shards: a file's
shard is the first digits of SHA-256 of its key, so that nothing moves when a value grows or a key comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from arcan_gitops.deploy.names import SERVER_NAMESPACE
from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.overlay.kustomization import KUSTOMIZATION_FILE
from arcan_gitops.overlay.manifest import LABELS
from arcan_gitops.overlay.tree import Tree, header
from arcan_gitops.yamlio import emit

# The sum of the values that the API server takes (k8s.io/kubernetes pkg/apis/core/validation,
# ValidateConfigMap: core.MaxSecretSize).
CONFIG_MAP_BYTES: Final = 1024 * 1024

# A pod of the old rollout that is started again mounts the old files, so Argo CD leaves them, and its
# Application is in sync all the same.
_KEPT: Final = {
    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
    "argocd.argoproj.io/sync-options": "Prune=false",
}

# How many shards there may be -> how many hexadecimal digits name one.
_DIGITS: Final = {1: 0, 16: 1, 256: 2}

_DOCUMENT_SUFFIX: Final = ".sops.yaml"
_KEY_CHARACTERS: Final = 253  # of a key of a ConfigMap


class TooLarge(ArcanError):
    """A file that no ConfigMap can hold."""


@dataclass(frozen=True, slots=True)
class RealmFolder:
    """The files of one realm, with their sizes in bytes. `beside` has `tokens.yaml` and `realm.yaml`;
    `removed` the records of removed keys, by the names of their files; `keys` the environments of key files,
    which are parted into so many `shards` each.
    """

    realm: RealmName
    documents: Mapping[EnvironmentName, int]
    beside: Mapping[str, int]
    removed: Mapping[EnvironmentName, Mapping[str, int]] = field(default_factory=dict)
    keys: Mapping[EnvironmentName, Mapping[KeyName, int]] = field(default_factory=dict)
    shards: int = 1

    @property
    def environments(self) -> tuple[EnvironmentName, ...]:
        """All of them, sorted."""
        return tuple(sorted({*self.documents, *self.keys}))

    def shards_of(self, environment: EnvironmentName) -> dict[str, list[KeyName]]:
        """The ConfigMaps of an environment of key files, by name, those without a key left out; the keys in
        each are sorted.
        """
        found: dict[str, list[KeyName]] = {}
        for key in sorted(self.keys[environment]):
            shard = hashlib.sha256(key.encode()).hexdigest()[: _DIGITS[self.shards]]
            found.setdefault(shard_map(self.realm, environment, shard), []).append(key)
        return dict(sorted(found.items()))


def document_map(realm: RealmName, environment: EnvironmentName) -> str:
    """The ConfigMap of one document, before Kustomize adds the hash.

    Joined by dots, which no realm and no environment has: two documents never share a name.
    """
    return f"realm.{realm}.{environment}"


def shard_map(realm: RealmName, environment: EnvironmentName, shard: str) -> str:
    """The ConfigMap of one shard of an environment's key files; of its only one, as that of a document."""
    return ".".join(filter(None, (document_map(realm, environment), shard)))


def maps_of(realm: RealmName, environment: EnvironmentName) -> str:
    """A pattern (RE2's) for the names of all ConfigMaps of an environment, but for those of its records."""
    return document_map(realm, environment).replace(".", r"\.") + r"(\.[0-9a-f]+)?"


def key_file(key: KeyName) -> str:
    """The file of one key, and its key in the ConfigMap."""
    return f"{key}{_DOCUMENT_SUFFIX}"


def document_file(environment: EnvironmentName) -> str:
    """The file of one document, and its key in the ConfigMap."""
    return f"{environment}{_DOCUMENT_SUFFIX}"


def removed_map(realm: RealmName, environment: EnvironmentName) -> str:
    """The ConfigMap of the records of an environment's removed keys."""
    return f"{document_map(realm, environment)}.removed"


def removed_folder(environment: EnvironmentName) -> str:
    """The folder of the records, in that of the realm."""
    return f"removed/{environment}"


def beside_map(realm: RealmName) -> str:
    """The ConfigMap of what stands beside the documents."""
    return f"realm.{realm}"


def realm_tree(folders: Iterable[RealmFolder]) -> Tree:
    """The files below realms/. Raises `SeveralErrors` of `TooLarge`."""
    found = sorted(folders, key=lambda folder: folder.realm)
    problems = [problem for folder in found for problem in _too_large(folder)]
    if problems:
        raise SeveralErrors("the realms do not fit into ConfigMaps:", problems)
    return {f"{folder.realm}/{KUSTOMIZATION_FILE}": _text(folder) for folder in found}


def _too_large(folder: RealmFolder) -> Iterable[ArcanError]:
    for environment, size in sorted(folder.documents.items()):
        if size > CONFIG_MAP_BYTES:
            yield TooLarge(
                f"{folder.realm}/{document_file(environment)}: has {size} bytes, and a ConfigMap holds"
                f" {CONFIG_MAP_BYTES}",
                hint="split the environment's keys into realms: move those of one team to a realm of its own",
            )
    for environment in sorted(folder.keys):
        sizes = folder.keys[environment]
        for name, keys in folder.shards_of(environment).items():
            size = sum(sizes[key] for key in keys)
            if size > CONFIG_MAP_BYTES:
                yield TooLarge(
                    f"{folder.realm}/{environment}: the {len(keys)} key files of ConfigMap {name} have {size}"
                    f" bytes, and a ConfigMap holds {CONFIG_MAP_BYTES}",
                    hint=_more_shards(folder),
                )
                break
    for environment, records in sorted(folder.removed.items()):
        if sum(records.values()) > CONFIG_MAP_BYTES or any(len(name) > _KEY_CHARACTERS for name in records):
            yield TooLarge(
                f"{folder.realm}/{removed_folder(environment)}: is more than a ConfigMap holds:"
                f" {CONFIG_MAP_BYTES} bytes, and names of {_KEY_CHARACTERS} characters",
                hint="delete the records that every cluster has acted on",
            )
    if sum(folder.beside.values()) > CONFIG_MAP_BYTES:
        yield TooLarge(
            f"{folder.realm}/{' and '.join(sorted(folder.beside))}: have {sum(folder.beside.values())} bytes,"
            f" and a ConfigMap holds {CONFIG_MAP_BYTES}",
            hint="revoke the tokens that nobody uses: arcan token list",
        )


def _more_shards(folder: RealmFolder) -> str:
    more = [number for number in _DIGITS if number > folder.shards]
    if not more:
        return "move the keys of one team to a realm of its own"
    return f"part them: write 'shards: {more[0]}' into {folder.realm}/realm.yaml"


def generator_options() -> dict[str, Any]:
    """Of ConfigMaps that are named by their content: a change makes another one, nobody need watch."""
    return {"immutable": True, "labels": dict(LABELS), "annotations": _KEPT}


def _text(folder: RealmFolder) -> str:
    files = {document_map(folder.realm, name): [document_file(name)] for name in sorted(folder.documents)}
    for environment in folder.keys:
        for name, keys in folder.shards_of(environment).items():
            files[name] = [f"{environment}/{key_file(key)}" for key in keys]
    for environment, records in folder.removed.items():
        path = removed_folder(environment)
        files[removed_map(folder.realm, environment)] = [f"{path}/{name}" for name in sorted(records)]
    if folder.beside:
        files[beside_map(folder.realm)] = sorted(folder.beside)
    body: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "generatorOptions": generator_options(),
        "configMapGenerator": [
            {"name": name, "namespace": str(SERVER_NAMESPACE), "files": files[name]} for name in sorted(files)
        ],
    }
    return header([f"the files of realm {folder.realm}"]) + emit([body])
