"""Which app goes where: what checking and building have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from arcan_gitops.names import InvalidName, Namespace, TokenName
from arcan_gitops.overlay.app import App, Consistency, Realm
from arcan_gitops.overlay.credentials import Credential, Kind
from arcan_gitops.overlay.declared_secret import DeclaredSecret
from arcan_gitops.overlay.naming import StoreNames, store_names
from arcan_gitops.overlay.place import ManyNamespaces
from arcan_gitops.overlay.settings import DeclaredStore, Overlay, Scope


@dataclass(frozen=True, slots=True)
class Placement:
    """One app in one overlay."""

    app: App
    overlay: Overlay
    place: Namespace | ManyNamespaces

    @property
    def declared_store(self) -> DeclaredStore | None:
        """The declared store that the app reads, or None, also where the overlay has none of that name."""
        reads = self.app.reads
        return None if isinstance(reads, Realm) else self.overlay.settings.others.get(reads)

    def reads_at_once(self, secret: DeclaredSecret) -> bool:
        """Whether a Secret of the app that asks for everything does so by one read, of one version.

        Else it has an entry for each key, with the version of that key: then nothing but Git can take a key
        out of it. One read stays where no version is pinned, where keys are renamed by what is read, and for
        an app elsewhere, whose file need not know the keys.
        """
        latest = self.app.consistency is Consistency.LATEST
        return secret.is_bulk and (latest or bool(secret.rewrites) or self.overlay.settings.elsewhere)

    @property
    def credential(self) -> Credential | None:
        """What opens the realm that the app reads: its token here, or the account of its stores' namespace.
        None where it has a declared store.
        """
        reads = self.app.reads
        if not isinstance(reads, Realm):
            return None
        token = token_of(self.app, self.overlay)
        if token is not None:
            return Credential(reads.name, token)
        own = None if self.store_namespace is not None else self.overlay.name
        account = self.overlay.settings.credentials.account_in(self.token_namespace, own)
        assert account is not None  # or there was no placement
        return Credential(reads.name, account=account)

    @property
    def scope(self) -> Scope:
        """That of the app's stores."""
        declared = self.declared_store
        own = None if declared is None else declared.scope
        return own or self.overlay.settings.scope

    @property
    def namespaces(self) -> tuple[Namespace, ...]:
        """The namespaces of the app's Secrets, as far as they are known by name."""
        return self.place.names if isinstance(self.place, ManyNamespaces) else (self.place,)

    @property
    def store_namespace(self) -> Namespace | None:
        """Where the app's stores are: in its own namespace, or cluster-wide."""
        if self.scope is Scope.CLUSTER or isinstance(self.place, ManyNamespaces):
            return None  # (many namespaces with a namespaced store are refused)
        return self.place

    @property
    def token_namespace(self) -> Namespace:
        """Where what the store refers to is."""
        return self.store_namespace or self.overlay.settings.eso_namespace


def placements(apps: Iterable[App], overlay: Overlay) -> tuple[Placement, ...]:
    """The apps that go to an overlay, by name; one without a namespace or a credential is left out."""
    return tuple(
        Placement(app, overlay, place)
        for app in sorted(apps, key=lambda app: app.name)
        if app.goes_to(overlay.name)
        and (place := app.place_in(overlay.name)) is not None
        and not (isinstance(app.reads, Realm) and lacks_credential(app, overlay) is not None)
    )


def token_of(app: App, overlay: Overlay) -> TokenName | None:
    """The token by which an app reads its realm in an overlay: its own, else as arcan.yaml calls it; None
    where an account reads, or nothing is said. Raises `InvalidName`.
    """
    if not isinstance(app.reads, Realm):
        return None
    own = app.reads.token_in(overlay.name)
    return overlay.settings.credentials.token_for(app.name, overlay.name) if own is None else own


def lacks_credential(app: App, overlay: Overlay) -> InvalidName | None:
    """Why an app that reads a realm has nothing to read it by in an overlay; None where it has."""
    try:
        if token_of(app, overlay) is not None or overlay.settings.credentials.kind is Kind.ACCOUNT:
            return None
    except InvalidName as error:
        return error
    return InvalidName(
        f"no token is given for overlay '{overlay.name}'",
        hint="name it: 'token: NAME'; or in arcan.yaml, for all apps: 'credentials: account', or "
        "'tokens: {name: \"{app}.{overlay}\"}'",
    )


def by_store_namespace(placed: Sequence[Placement]) -> Mapping[Namespace | None, tuple[Placement, ...]]:
    """The placements of one overlay whose stores share a place, sorted by namespace."""
    groups: dict[Namespace | None, list[Placement]] = {}
    for placement in placed:
        groups.setdefault(placement.store_namespace, []).append(placement)
    return {namespace: tuple(groups[namespace]) for namespace in sorted(groups, key=str)}


def names_for(group: Sequence[Placement]) -> Mapping[Credential, StoreNames]:
    """The names of Arcan stores and token Secrets for one such group. Raises `InvalidName`."""
    credentials = sorted({placement.credential for placement in group if placement.credential is not None})
    return store_names(group[0].overlay.settings, credentials) if credentials else {}
