"""The Role and RoleBinding that let an app's team make ExternalSecrets; the Role grants nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from arcan_gitops.names import AppName, Namespace
from arcan_gitops.overlay.app import Team
from arcan_gitops.overlay.manifest import Manifest, metadata

_API_GROUP: Final = "rbac.authorization.k8s.io"
# No `deletecollection`: one request that takes every Secret of the namespace away.
_VERBS: Final = ("get", "list", "watch", "create", "update", "patch", "delete")


def team_manifests(app: AppName, namespace: Namespace, team: Team) -> Iterator[Manifest]:
    """The two objects for one namespace.

    What ESO does for an ExternalSecret is more than what the Role says: it reads all that the stores of the
    namespace may read, and, by `templateFrom` and `target`, every Secret of the namespace. Those are the
    limit, and so the token of a namespaced store is in reach (`find_warnings` says so).
    """
    name = f"{app}-external-secrets"
    subjects: list[dict[str, Any]] = [
        {"apiGroup": _API_GROUP, "kind": kind, "name": subject}
        for kind, names in (("Group", team.groups), ("User", team.users))
        for subject in names
    ]
    yield {
        "apiVersion": f"{_API_GROUP}/v1",
        "kind": "Role",
        "metadata": metadata(name, namespace),
        "rules": [
            {"apiGroups": ["external-secrets.io"], "resources": ["externalsecrets"], "verbs": list(_VERBS)}
        ],
    }
    yield {
        "apiVersion": f"{_API_GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": metadata(name, namespace),
        "roleRef": {"apiGroup": _API_GROUP, "kind": "Role", "name": name},
        "subjects": subjects,
    }
