"""(apps, overlay, server) -> all that the overlay needs and Git must not hold. Pure, sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from arcan_gitops.bootstrap.objects import Authority, Secret, Value
from arcan_gitops.bootstrap.refreshes import refreshes
from arcan_gitops.bootstrap.server import has_ca, server_secrets
from arcan_gitops.deploy.names import CA_KEY, CA_MAP, SERVER_NAMESPACE, server_hosts
from arcan_gitops.deploy.settings import ServerSettings
from arcan_gitops.errors import SeveralErrors
from arcan_gitops.names import AccountName, KeyName, Namespace, ObjectName, RealmName
from arcan_gitops.overlay.app import App, Realm
from arcan_gitops.overlay.catalogue import Catalogue, TokenScope
from arcan_gitops.overlay.check import find_problems
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.needed_tokens import needed_scope, scope_options
from arcan_gitops.overlay.needs import CaNeed, SecretNeed
from arcan_gitops.overlay.placement import by_store_namespace, placements
from arcan_gitops.overlay.plan import PlacedNeed, plan
from arcan_gitops.overlay.settings import Overlay


@dataclass(frozen=True, slots=True)
class Requirements:
    """What one overlay needs, in the order to make it.

    `app_namespaces` are where the apps' ExternalSecrets go, as far as they are known by name.
    `certificate_hosts`: what a certificate under a CA of our own has to name, or None where somebody else
    makes the certificate. `notes` are about what has to be there and is not made here. `waiting` are the
    namespaces whose ExternalSecrets ESO may have given up on for a while; None: there are cluster-wide ones.
    """

    overlay: Overlay
    app_namespaces: frozenset[Namespace]
    secrets: tuple[Secret, ...]
    certificate_hosts: tuple[str, ...] | None
    authorities: tuple[Authority, ...]
    notes: tuple[str, ...]
    waiting: tuple[Namespace | None, ...] = ()

    @property
    def namespaces(self) -> tuple[Namespace, ...]:
        """Every namespace that has one of the objects or an app's ExternalSecrets, sorted."""
        objects: Iterable[Secret | Authority] = (*self.secrets, *self.authorities)
        return tuple(sorted(self.app_namespaces | {each.namespace for each in objects}))


def requirements(
    apps: Sequence[App],
    overlay: Overlay,
    catalogue: Catalogue,
    server: ServerSettings | None,
    overlays: Sequence[Overlay] = (),
) -> Requirements:
    """What the stores of the apps and the overlay's server need.

    A token that its realm does not have yet is not a problem here: it will be made, with the scope that the
    apps of all `overlays` need of it, for it is one token. Raises `SeveralErrors` for
    all else that keeps the overlay from being generated.
    """
    here = [_only_in(app, overlay) for app in apps if app.goes_to(overlay.name)]
    if problems := find_problems(here, [overlay], _with_credentials(catalogue, here, overlay)):
        raise SeveralErrors(f"overlay '{overlay.name}' cannot be generated:", problems)
    placed = placements(here, overlay)
    needs = [need for group in by_store_namespace(placed).values() for need in plan(group).needs]
    secrets = [] if server is None else list(server_secrets(server))
    secrets += _tokens(needs, catalogue, lambda read: needed_scope(apps, overlays or [overlay], read))
    secrets += _others(needs)
    own_ca = server is not None and "own-ca" in server.components
    return Requirements(
        overlay,
        frozenset(namespace for placement in placed for namespace in placement.namespaces),
        tuple(secrets),
        server_hosts(overlay.settings.server_url) if own_ca else None,
        tuple(_authorities(needs, server)),
        tuple(dict.fromkeys(_notes(needs))),
        tuple(dict.fromkeys(refresh.namespace for refresh in refreshes(here, overlay))),
    )


def _only_in(app: App, overlay: Overlay) -> App:
    """The app as if there were no other overlay: errors in other overlays do not matter here."""
    place = app.place
    if isinstance(place, Mapping):
        place = {name: namespace for name, namespace in place.items() if name == overlay.name}
    reads = app.reads
    if isinstance(reads, Realm) and isinstance(reads.token, Mapping):
        here = {name: token for name, token in reads.token.items() if name == overlay.name}
        reads = replace(reads, token=here)
    return replace(app, overlays=None, place=place, reads=reads)


def _with_credentials(catalogue: Catalogue, apps: Sequence[App], overlay: Overlay) -> Catalogue:
    """The catalogue as it is when every token has been made, and every account granted: each that is missing
    with a scope that reads everything.
    """
    tokens: dict[RealmName, Mapping[str, TokenScope]] = dict(catalogue.tokens)
    accounts: dict[RealmName, Mapping[AccountName, TokenScope]] = dict(catalogue.accounts)
    for placement in placements(apps, overlay):
        read = placement.credential
        if read is None or catalogue.scope_of(read) is not None:
            continue
        if read.account is not None:
            accounts[read.realm] = {**accounts.get(read.realm, {}), read.account: TokenScope()}
        else:
            tokens[read.realm] = {**tokens.get(read.realm, {}), read.token: TokenScope()}
    return replace(catalogue, tokens=tokens, accounts=accounts)


def _tokens(
    needs: Iterable[PlacedNeed], catalogue: Catalogue, needed: Callable[[Credential], TokenScope | None]
) -> Iterator[Secret]:
    """A Secret for each place of each token; those of one token follow each other."""
    found: dict[Credential, list[Secret]] = {}
    for placed in needs:
        credential, need = placed.credential, placed.need
        if credential is None or not isinstance(need, SecretNeed) or need.key is None:
            continue
        recorded = credential.token in catalogue.tokens.get(credential.realm, {})
        file = f"tokens/{credential.realm}/{credential.token}"
        scope = scope_options(needed(credential), catalogue.token_expiry.get(credential.realm))
        value = Value(file, need.what, credential, recorded, "" if recorded else scope)
        secret = Secret(placed.namespace, need.name, {need.key: value}, need.labelled, of="Arcan's stores")
        found.setdefault(credential, []).append(secret)
    for credential in sorted(found):
        yield from found[credential]


def _others(needs: Iterable[PlacedNeed]) -> Iterator[Secret]:
    """The Secrets of declared stores, each once, with every key that a store reads from it."""
    found: dict[tuple[Namespace, ObjectName], Secret] = {}
    for placed in needs:
        need = placed.need
        if placed.credential is not None or not isinstance(need, SecretNeed) or need.key is None:
            continue
        place = (placed.namespace, need.name)
        what = need.what or f"key {need.key} of Secret {need.name}"
        value = Value(f"{placed.namespace}/{need.name}/{need.key}", what)
        of = f"store {placed.store}"
        secret = found.get(place, Secret(*place, {}, of=of))
        values: dict[KeyName, Value] = {need.key: value, **secret.values}
        found[place] = replace(
            secret,
            values=dict(sorted(values.items())),
            labelled=secret.labelled or need.labelled,
            of=secret.of if of in secret.of.split(", ") else f"{secret.of}, {of}",
        )
    yield from (found[place] for place in sorted(found))


def _authorities(needs: Iterable[PlacedNeed], server: ServerSettings | None) -> Iterator[Authority]:
    """The ConfigMaps of CAs, each once: the server's own first."""
    found: dict[tuple[Namespace, ObjectName, KeyName], Authority] = {}
    if server is not None and "own-ca" in server.components:
        found[SERVER_NAMESPACE, CA_MAP, CA_KEY] = Authority(SERVER_NAMESPACE, CA_MAP, CA_KEY, None)
    for placed in needs:
        need = placed.need
        if not isinstance(need, CaNeed):
            continue
        if placed.store is not None:
            file = f"{placed.namespace}/{need.name}/{need.key}"
            value: Value | None = Value(file, f"the CA of store {placed.store} (PEM)", from_file=True)
        elif server is not None and has_ca(server):
            value = None
        else:
            value = Value("tls/ca.crt", "the CA of the server's certificate (PEM)", from_file=True)
        place = (placed.namespace, need.name, need.key)
        found.setdefault(place, Authority(*place, value))
    yield from found.values()


def _notes(needs: Iterable[PlacedNeed]) -> Iterator[str]:
    """ServiceAccounts, and Secrets whose keys only the templates of a store know."""
    for placed in needs:
        if isinstance(placed.need, SecretNeed | CaNeed) and placed.need.key is not None:
            continue
        yield str(placed)
