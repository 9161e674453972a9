"""One environment, opened for an edit, whichever way it lies on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms.editing import OpenDocument, open_file
from arcan_gitops.realms.key_files import OpenFiles
from arcan_gitops.realms.layout import Layout
from arcan_gitops.realms.manifests import explained, manifest_problem
from arcan_gitops.realms.settings import settings_of
from arcan_gitops.realms.sops_config import SopsConfig
from arcan_gitops.realms.tree import RealmTree
from arcan_gitops.sops import Identities, key_names


class Edit(Protocol):
    """The decrypted values of an environment, and what is to become of them, as those of a `Document`."""

    @property
    def tree(self) -> Mapping[str, Any]:
        """The values by key."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the keys."""

    def set(self, path: str | Sequence[str | int], value: Any) -> None:
        """Give a key, or a path, a value."""

    def update(self, values: Mapping[str, Any]) -> None:
        """Give many keys their values, all or none."""

    def unset(self, path: str | Sequence[str | int]) -> None:
        """Remove a key, or a part of one."""

    def rename(self, path: str | Sequence[str | int], new_name: str) -> None:
        """Give a key another name."""

    def changed(self) -> bool:
        """Whether `save` would write anything. Raises what the server would refuse to load."""

    def save(self, reason: str = "removed by an edit") -> bool:
        """Write what was changed, all or nothing; False if nothing was. `reason` is for the records of what
        was removed.
        """


def open_environment(
    tree: RealmTree, realm: RealmName, environment: EnvironmentName, identities: Identities
) -> OpenDocument | OpenFiles:
    """An environment as it is now. Raises `BadLayout`, `CannotRead`, `InvalidFile`, `NoRule`."""
    found = tree.environment(realm, environment)
    if found.layout is Layout.DOCUMENT:
        return open_file(tree, found.files[0], identities)
    config = SopsConfig.required(tree.root)
    return OpenFiles(found, settings_of(tree, realm), config, identities)


def keys_of(tree: RealmTree, realm: RealmName, environment: EnvironmentName) -> tuple[str, ...]:
    """The names of an environment's keys; no identity is needed. Raises as `open_environment`, and what is
    wrong with a document.
    """
    found = tree.environment(realm, environment)
    if found.layout is Layout.FILES:
        return tuple(sorted((*(file.key for file in found.files if file.key), *found.bad)))
    data = found.files[0].read()
    try:
        names = key_names(data)
    except ArcanError as error:
        raise explained(error, data, found.files[0]) from None
    if (manifest := manifest_problem(names, data, found.files[0])) is not None:
        raise manifest
    return names
