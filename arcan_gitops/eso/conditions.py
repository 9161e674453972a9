"""From which namespaces a ClusterSecretStore may be used.

Source: pkg/controllers/secretstore/client_manager.go, `shouldProcessSecret`; measured with ESO itself
"""

from __future__ import annotations

from typing import Final

from arcan_gitops.eso.cluster import Cluster
from arcan_gitops.eso.errors import EsoError, NotSupported
from arcan_gitops.eso.objects import LabelSelector, Requirement, Store, StoreKind
from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.regexp import compile_pattern

NAME_LABEL: Final = "kubernetes.io/metadata.name"


def require_allowed(store: Store, namespace: str, cluster: Cluster) -> None:
    """Raise ESO's `EsoError` if the store's conditions leave the namespace out.

    Raises `NotSupported` where they ask for labels of a namespace whose manifest is not given.
    """
    if store.id.kind is StoreKind.SECRET_STORE or not store.conditions:
        return
    given = cluster.namespace(namespace)
    # The API server puts this label on every namespace.
    labels = {**(given.labels if given is not None else {}), NAME_LABEL: namespace}
    unknown = False
    for condition in store.conditions:
        if namespace in condition.namespaces or any(_matches(r, namespace) for r in condition.regexes):
            return
        if condition.selector is not None:
            if selects(condition.selector, labels):
                return
            unknown = unknown or given is None
    if unknown:
        raise NotSupported(
            f'the labels of namespace "{namespace}", which {store.id} asks for, are not known',
            hint="give the manifest of the Namespace as well",
        )
    raise EsoError(
        f'using cluster store "{store.id.name}" is not allowed from namespace "{namespace}": '
        "denied by spec.condition"
    )


def _matches(regex: str, namespace: str) -> bool:
    """`regexp.MatchString`: unanchored, RE2 syntax."""
    try:
        return compile_pattern(regex).search(namespace) is not None
    except GoError as error:
        raise EsoError(f"failed to compile regex {regex}: {error}") from None


def selects(selector: LabelSelector, labels: dict[str, str]) -> bool:
    """Whether all that the selector asks for holds of an object with these labels."""
    same = all(labels.get(name) == value for name, value in selector.labels.items())
    return same and all(_holds(requirement, labels) for requirement in selector.expressions)


def _holds(requirement: Requirement, labels: dict[str, str]) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return value in requirement.values
        case "NotIn":
            return value not in requirement.values
        case "Exists":
            return value is not None
        case _:
            return value is None
