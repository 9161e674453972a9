"""Who may use a store, and where its Secrets and its CA are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from arcan_gitops.lint.findings import Found, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.nodes import Node
from arcan_gitops.lint.objects import Store
from arcan_gitops.lint.rule import Rule

# The providers whose cluster store is known to fail without a namespace beside the CA.
_CA_NEEDS_NAMESPACE: Final = ("webhook", "vault")


def _no_conditions(manifests: Manifests) -> Iterator[Found]:
    for store in manifests.stores:
        if store.cluster and not store.object.root.items("spec", "conditions"):
            yield store.object.found(
                None,
                "no conditions: every namespace may read all that this store can read",
                "list the namespaces: conditions: [{namespaces: [shop]}]",
            )


def _refs(store: Store) -> Iterator[tuple[str, Node]]:
    yield from store.secret_refs()
    ca = store.settings.at("caProvider") if store.settings is not None else None
    if ca is not None and store.provider in _CA_NEEDS_NAMESPACE:
        yield "caProvider", ca


def _no_namespace(manifests: Manifests) -> Iterator[Found]:
    for store in manifests.stores:
        if not store.cluster:
            continue
        for field, ref in _refs(store):
            if ref.is_mapping and not ref.text("namespace"):
                yield store.object.found(
                    ref,
                    f"{field} names no namespace, and a cluster store has none of its own",
                    "add namespace: external-secrets, or wherever the object is",
                )


def _foreign_ca(manifests: Manifests) -> Iterator[Found]:
    for store in manifests.stores:
        ca = store.settings.at("caProvider") if store.settings is not None else None
        named = ca.text("namespace") if ca is not None else None
        if store.cluster or ca is None or not named or not store.object.namespace:
            continue
        if named != store.object.namespace:
            yield store.object.found(
                ca.at("namespace"),
                "caProvider names another namespace, which a SecretStore may not: never Ready",
                "copy the CA into the store's own namespace and leave caProvider.namespace out",
            )


def _unanchored(manifests: Manifests) -> Iterator[Found]:
    for store in manifests.stores:
        for condition in store.object.root.items("spec", "conditions") if store.cluster else ():
            for item in condition.items("namespaceRegexes"):
                text = item.scalar
                if isinstance(text, str) and not (
                    text.startswith(("^", r"\A")) and text.endswith(("$", r"\z"))
                ):
                    yield store.object.found(
                        item,
                        "a namespaceRegex that matches anywhere in a name: team-a allows not-team-alpha too",
                        "anchor it: ^team-a$",
                    )


def _useless_conditions(manifests: Manifests) -> Iterator[Found]:
    for store in manifests.stores:
        node = store.object.root.at("spec", "conditions")
        if node is not None and not store.cluster:
            problem = "conditions have no effect here: a SecretStore serves its own namespace only"
            yield store.object.found(node, problem, "leave them out")


RULES = (
    Rule("ARC040", Severity.WARNING, "a cluster store without conditions", _no_conditions),
    Rule("ARC041", Severity.ERROR, "a reference of a cluster store without a namespace", _no_namespace),
    Rule("ARC042", Severity.ERROR, "a SecretStore whose CA is in another namespace", _foreign_ca),
    Rule("ARC043", Severity.WARNING, "a namespaceRegex that is not anchored", _unanchored),
    Rule("ARC044", Severity.WARNING, "conditions on a SecretStore", _useless_conditions),
)
