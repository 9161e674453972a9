"""Which stores an overlay needs for its apps, and which of them each app uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from arcan_gitops.names import AccountName, Namespace, ObjectName
from arcan_gitops.overlay.app import Realm
from arcan_gitops.overlay.ca import CertificateAuthority, SecretCa
from arcan_gitops.overlay.credentials import Credential, account_manifests
from arcan_gitops.overlay.manifest import Manifest
from arcan_gitops.overlay.naming import StoreNames
from arcan_gitops.overlay.needs import Need, SecretNeed
from arcan_gitops.overlay.place import ManyNamespaces
from arcan_gitops.overlay.placement import Placement, names_for
from arcan_gitops.overlay.settings import DeclaredStore, Overlay, Scope
from arcan_gitops.overlay.stores.arcan import Reads, arcan_store
from arcan_gitops.overlay.stores.endpoint import needs_ca
from arcan_gitops.overlay.stores.raw import Raw
from arcan_gitops.overlay.stores.store import ClusterWide, InNamespace, Reach, Store


@dataclass(frozen=True, slots=True, order=True)
class ArcanUse:
    """A token of a realm, and a way to read."""

    credential: Credential
    reads: Reads


# What decides which store serves a Secret: that, or the name of a declared store.
Use = ArcanUse | ObjectName


@dataclass(frozen=True, slots=True)
class PlacedNeed:
    """What a store needs, and where; a token is the `credential`, all else is for the declared `store`."""

    namespace: Namespace
    need: Need
    credential: Credential | None = None
    store: ObjectName | None = None

    def __str__(self) -> str:
        store = "" if self.store is None else f" (store {self.store})"
        text = f"Needs in namespace {self.namespace}: {self.need}{store}."
        return " ".join(text.split())  # one line, whatever is in a role's name: it becomes a comment


@dataclass(frozen=True, slots=True)
class Plan:
    """The stores of one place (a namespace, or the cluster), and what they refer to."""

    stores: Mapping[Use, Store]
    needs: tuple[PlacedNeed, ...]
    accounts: tuple[AccountName, ...] = ()

    def manifests(self) -> list[Manifest]:
        """The accounts, each before its Secret, then the stores."""
        made = [manifest for account in self.accounts for manifest in account_manifests(account)]
        return [*made, *(store.manifest() for store in self.stores.values())]

    def store_for(self, placement: Placement, bulk: bool) -> Store:
        """The store that a Secret of the app reads from."""
        return self.stores[_use(placement, bulk)]


def plan(group: Sequence[Placement]) -> Plan:
    """The stores for apps whose stores share a place, and no others: ESO dials each every five minutes."""
    names = names_for(group)
    users: dict[Use, list[Placement]] = {}
    for placement in group:
        for bulk in reads(placement):
            users.setdefault(_use(placement, bulk), []).append(placement)
    order: list[Use] = [*sorted(use for use in users if isinstance(use, ArcanUse))]
    order += sorted(use for use in users if not isinstance(use, ArcanUse))
    stores = {use: _store(use, users[use], names) for use in order}
    accounts = {each.account for each in names if each.account is not None}
    return Plan(stores, tuple(_needs(group, names)), tuple(sorted(accounts)))


def reads(placement: Placement) -> tuple[bool, ...]:
    """For each Secret of the app that reads from the app's own store, whether it does so by one read of
    everything.
    """
    return (
        *(placement.reads_at_once(secret) for secret in placement.app.secrets),
        *(raw.is_bulk for raw in placement.app.raw if not raw.names_its_store),
    )


def _use(placement: Placement, bulk: bool) -> Use:
    if (credential := placement.credential) is not None:
        unified = placement.overlay.settings.unified
        reads = Reads.UNIFIED if unified else Reads.BULK if bulk else Reads.SINGLE
        return ArcanUse(credential, reads)
    assert not isinstance(placement.app.reads, Realm)  # which has a credential
    return placement.app.reads


def _store(use: Use, users: Sequence[Placement], names: Mapping[Credential, StoreNames]) -> Store:
    overlay, reach = users[0].overlay, _reach(users)
    if isinstance(use, ArcanUse):
        credential = use.credential
        return arcan_store(
            use.reads, overlay.settings, names[credential], credential.realm, overlay.environment, reach
        )
    return _declared(overlay.settings.others[use], overlay, reach)


def unused_store(declared: DeclaredStore, overlay: Overlay) -> Store:
    """A store that no app reads, as it would be generated if one did, in a namespace or for all of them."""
    if (declared.scope or overlay.settings.scope) is Scope.CLUSTER:
        return _declared(declared, overlay, ClusterWide(overlay.settings.eso_namespace))
    return _declared(declared, overlay, InNamespace(Namespace("default")))


def _declared(declared: DeclaredStore, overlay: Overlay, reach: Reach) -> Store:
    backend = declared.backend.at(overlay.environment, overlay.settings.eso_version)
    more = declared.backend.more if isinstance(declared.backend, Raw) else {}
    return Store(declared.name, backend, reach, more)


def _reach(users: Sequence[Placement]) -> Reach:
    """A cluster-wide store is open to just the namespaces that use it."""
    namespace = users[0].store_namespace
    if namespace is not None:
        return InNamespace(namespace)
    named = tuple(sorted({name for user in users for name in user.namespaces}))
    labels: list[Mapping[str, str]] = []
    for user in users:
        found = user.place.labels if isinstance(user.place, ManyNamespaces) else None
        if found is not None and found not in labels:
            labels.append(found)
    return ClusterWide(users[0].overlay.settings.eso_namespace, named, tuple(labels))


def _needs(group: Sequence[Placement], names: Mapping[Credential, StoreNames]) -> Iterator[PlacedNeed]:
    """What the stores read and nobody generates."""
    settings, namespace = group[0].overlay.settings, group[0].token_namespace
    for credential in sorted(each for each in names if each.account is None):
        token = f"token '{credential.token}' of realm '{credential.realm}'"
        secret = SecretNeed(names[credential].token_secret, settings.token_secret.key, token, labelled=True)
        yield PlacedNeed(namespace, secret, credential=credential)
    for need in needs_ca(settings.ca) if names else ():
        yield PlacedNeed(_of_ca(settings.ca, group[0]), need)
    declared: dict[str, DeclaredStore] = {
        store.name: store for placement in group if (store := placement.declared_store) is not None
    }
    for name in sorted(declared):
        for need in declared[name].backend.needs():
            yield PlacedNeed(namespace, need, store=declared[name].name)


def _of_ca(ca: CertificateAuthority, user: Placement) -> Namespace:
    """The namespace of the object with the CA: the store's own, else the declared one, else ESO's."""
    if isinstance(ca, SecretCa) and ca.namespace is not None and user.store_namespace is None:
        return ca.namespace
    return user.token_namespace
