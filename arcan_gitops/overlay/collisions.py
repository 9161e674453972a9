"""Two things of one name: Kubernetes Secrets, ExternalSecrets, stores, and keys of one Secret."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from arcan_gitops.names import InvalidName
from arcan_gitops.overlay.app import App, credential_field
from arcan_gitops.overlay.declared_secret import DeclaredSecret
from arcan_gitops.overlay.place import ManyNamespaces
from arcan_gitops.overlay.placement import Placement, by_store_namespace, names_for
from arcan_gitops.yamlio import InvalidFile

# Entries of these write into one Secret, each its own keys.
_SHARING: Final = ("Merge", "CreateOrMerge")


@dataclass(slots=True)
class _Taken:
    """A Kubernetes Secret that somebody writes: `keys` are those of the entries that share it, by where."""

    by: str
    shared: bool = False
    keys: dict[str, str] = field(default_factory=dict)


def collisions(placed: Sequence[Placement]) -> Iterator[InvalidFile]:
    """Two Kubernetes Secrets of one name in one namespace of an overlay, the tokens' own Secrets too; and two
    ExternalSecrets, which have the names of their Secrets unless they are named otherwise.

    Several entries may write into one Secret where none of them owns it.
    """
    secrets: dict[tuple[str, str], _Taken] = {}
    external: dict[tuple[str, str], str] = {}
    for group in by_store_namespace(placed).values():
        try:
            names = names_for(group)
        except InvalidName as error:
            yield _unnameable(group, error)
            continue
        yield from _two_stores(group, {name for made in names.values() for name in (made.single, made.bulk)})
        for placement in group:
            if placement.credential is not None:
                name = names[placement.credential].token_secret
                secrets[placement.token_namespace, name] = _Taken("it holds the store's own token")
    for placement in placed:
        for secret in placement.app.secrets:
            for place in _places(placement):
                problems = list(_secret(secret, place, secrets))
                if not problems and (other := external.get((place, secret.external))) is not None:
                    problem = f"there are two ExternalSecrets '{secret.external}': the other is of {other}"
                    hint = "name this one with 'externalSecret'"
                    problems = [InvalidFile(f"{secret.where}: {problem}", hint=hint)]
                yield from problems
                external.setdefault((place, secret.external), secret.where)
        for place in _places(placement):
            yield from _raw(placement.app, place, secrets, external)


def _raw(
    app: App, place: str, secrets: dict[tuple[str, str], _Taken], external: dict[tuple[str, str], str]
) -> Iterator[InvalidFile]:
    """Raw entries say themselves who owns what; a name that is taken is wrong all the same."""
    for raw in app.raw:
        if (other := external.get((place, raw.name))) is not None:
            problem = f"there are two ExternalSecrets '{raw.name}': the other is of {other}"
            yield InvalidFile(f"{raw.where}: {problem}", hint="give this one another name")
        external.setdefault((place, raw.name), raw.where)
        policy = raw.spec.get("target")
        merges = isinstance(policy, Mapping) and policy.get("creationPolicy") in _SHARING
        taken = secrets.get((place, raw.target))
        if taken is not None and not (taken.shared and merges):
            what = f"of namespace '{place}'" if place else "of many namespaces"
            problem = f"Secret '{raw.target}' {what} is taken: {taken.by}"
            yield InvalidFile(f"{raw.where}: {problem}", hint="give spec.target.name another name")
        secrets.setdefault((place, raw.target), _Taken(f"declared at {raw.where}", merges))


def _secret(
    secret: DeclaredSecret, place: str, secrets: dict[tuple[str, str], _Taken]
) -> Iterator[InvalidFile]:
    """Write the Secret down as taken; what is wrong with that."""
    shares = secret.creation in _SHARING
    taken = secrets.get((place, secret.name))
    if taken is None:
        taken = secrets[place, secret.name] = _Taken(f"declared at {secret.where}", shares)
    elif not (taken.shared and shares):
        what = f"of namespace '{place}'" if place else "of many namespaces"
        problem = f"Secret '{secret.name}' {what} is taken: {taken.by}"
        hint = "give it another name; entries share a Secret only with creationPolicy Merge in all of them"
        yield InvalidFile(f"{secret.where}: {problem}", hint=hint)
        return
    for key in secret.written_keys:
        if (other := taken.keys.setdefault(key, secret.where)) != secret.where:
            problem = f"key '{key}' of Secret '{secret.name}' is written at {other} too"
            hint = "name one of them otherwise: {key: ..., as: ...}; ESO would write now this, now that"
            yield InvalidFile(f"{secret.where}: {problem}", hint=hint)


def _two_stores(group: Sequence[Placement], taken: Collection[str]) -> Iterator[InvalidFile]:
    """A declared store by the name of an Arcan store that stands in the same place."""
    for placement in group:
        store = placement.declared_store
        if store is not None and store.name in taken:
            problem = f"overlay '{placement.overlay.name}' has an Arcan store of the name '{store.name}' too"
            hint = "rename one: 'stores.name', 'stores.bulkName', or the store itself"
            yield InvalidFile(f"{store.where}: {problem}", hint=hint)


def _places(placement: Placement) -> tuple[str, ...]:
    """The namespaces of the Secrets; and "", where the names of ClusterExternalSecrets are."""
    return (
        (*placement.namespaces, "") if isinstance(placement.place, ManyNamespaces) else placement.namespaces
    )


def _unnameable(group: Sequence[Placement], error: InvalidName) -> InvalidFile:
    """Names end in the token's name, because there are several, and one is not a name in Kubernetes."""
    mine = [placement.app for placement in group if placement.credential is not None]
    apps = ", ".join(f"'{app.name}'" for app in mine)
    problem = f"the names of the stores of {apps} end in those of their tokens: {error.message}"
    where = mine[0].at(credential_field(mine[0]))
    return InvalidFile(f"{where}: {problem}", hint="name the tokens in lower case, or use one token for all")
