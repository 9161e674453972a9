"""What is wrong with the declared apps, before anything is written: all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from arcan_gitops.eso_version import CREATE_OR_MERGE, UNIFIED_STORE, Feature
from arcan_gitops.names import OverlayName, RealmName, did_you_mean, nearest
from arcan_gitops.overlay.app import App, Realm, credential_field
from arcan_gitops.overlay.catalogue import Catalogue, TokenScope
from arcan_gitops.overlay.collisions import collisions
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.needed_tokens import creating, needed_scope
from arcan_gitops.overlay.place import ManyNamespaces
from arcan_gitops.overlay.placement import Placement, lacks_credential, placements
from arcan_gitops.overlay.reading import reading_problems
from arcan_gitops.overlay.removal import Departure
from arcan_gitops.overlay.settings import Overlay, Scope
from arcan_gitops.overlay.templates import template_problems
from arcan_gitops.yamlio import InvalidFile

MOST_PROBLEMS: Final = 100


def find_problems(
    apps: Sequence[App],
    overlays: Sequence[Overlay],
    catalogue: Catalogue,
    departures: Sequence[Departure] = (),
    removed: Sequence[OverlayName] = (),
) -> tuple[InvalidFile, ...]:
    """Every reason why the overlays cannot be generated, each with its file, line and nearest match.
    `removed` are overlays that may be named, and are no more.

    In the order of overlays and apps; two overlays of one environment do not say the same thing twice. After
    `MOST_PROBLEMS` it stops looking: one cause, such as a renamed realm, can be behind thousands of them.
    """
    found: dict[str, InvalidFile] = {}
    problems = chain(_all(apps, overlays, catalogue, removed), _gone(departures, apps, overlays, removed))
    for problem in problems:
        found.setdefault(problem.message, problem)
        if len(found) == MOST_PROBLEMS:
            break
    return tuple(found.values())


def find_warnings(apps: Sequence[App], overlays: Sequence[Overlay]) -> tuple[str, ...]:
    """Warnings: what is allowed and was asked for, and has a risk that the user should know."""
    found: dict[str, None] = {}
    for app in apps:
        for secret in app.secrets:
            if secret.deletion == "Delete":
                where = secret.at("deletionPolicy")
                found[
                    f"{where}: Secret '{secret.name}' is deleted when the store says that its keys are gone:"
                    " pods that need it will not start again"
                ] = None
    for overlay in overlays:
        for placement in placements(apps, overlay):
            if placement.app.team is not None and placement.store_namespace is not None:
                found[
                    f"{placement.app.at('team')}: the token of the store is in namespace "
                    f"'{placement.store_namespace}', where the team can make ESO read it: "
                    "'stores: {scope: cluster}' keeps it elsewhere"
                ] = None
            if (store := placement.declared_store) is not None:
                for warning in store.backend.warnings():
                    found[f"{store.where}: store '{store.name}' {warning}"] = None
    return tuple(found)


def _all(
    apps: Sequence[App],
    overlays: Sequence[Overlay],
    catalogue: Catalogue,
    removed: Sequence[OverlayName],
) -> Iterator[InvalidFile]:
    for overlay in overlays:
        reads_realms = any(placement.credential is not None for placement in placements(apps, overlay))
        if reads_realms and overlay.environment not in catalogue.environments():
            problem = f"overlay '{overlay.name}': no realm has an environment '{overlay.environment}'"
            hint = did_you_mean(overlay.environment, catalogue.environments())
            yield InvalidFile(f"{overlay.where}: {problem}", hint=hint)
    realms = frozenset(catalogue.realms())
    for app in apps:
        if isinstance(app.reads, Realm):
            yield from _realm(
                app, app.reads, realms, catalogue, overlays, lambda read: needed_scope(apps, overlays, read)
            )
        yield from _declaration(app, overlays, removed)
    for overlay in overlays:
        placed = placements(apps, overlay)
        for placement in placed:
            yield from _granted(placement, catalogue, lambda read: needed_scope(apps, overlays, read))
            yield from reading_problems(placement, catalogue)
            yield from template_problems(placement, catalogue)
            yield from _features(placement)
            if isinstance(placement.place, ManyNamespaces) and placement.scope is Scope.NAMESPACE:
                problem = f"many namespaces need a cluster-wide store, and overlay '{overlay.name}' has none"
                hint = "set 'stores: {scope: cluster}', or write one app for each namespace"
                yield InvalidFile(f"{placement.app.at('namespaces')}: {problem}", hint=hint)
        yield from collisions(placed)


def _declaration(
    app: App, overlays: Sequence[Overlay], removed: Sequence[OverlayName]
) -> Iterator[InvalidFile]:
    """What holds whichever overlay the app goes to."""
    known = [*(overlay.name for overlay in overlays), *removed]
    yield from _unknown(app.overlays or (), app.at("overlays"), known)
    if isinstance(app.place, Mapping):
        yield from _by_overlay(app, "namespace", app.place, overlays, known)
    if isinstance(app.reads, Realm) and isinstance(app.reads.token, Mapping):
        yield from _by_overlay(app, "token", app.reads.token, overlays, known)
    if isinstance(app.reads, Realm):
        yield from _without_credential(app, app.reads, overlays)


def _without_credential(app: App, reads: Realm, overlays: Sequence[Overlay]) -> Iterator[InvalidFile]:
    for overlay in overlays:
        if not app.goes_to(overlay.name) or (lacks := lacks_credential(app, overlay)) is None:
            continue
        hint = lacks.hint
        if isinstance(reads.token, Mapping):
            hint = f"add '{overlay.name}: TOKEN', or leave the overlay out of 'overlays'"
        yield InvalidFile(f"{app.at(credential_field(app))}: {lacks.message}", hint=hint)


def _unknown(names: Iterable[OverlayName], where: str, known: Sequence[OverlayName]) -> Iterator[InvalidFile]:
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            yield InvalidFile(f"{where}: there is no overlay '{name}'", hint=hint)


def _by_overlay(
    app: App,
    field: str,
    given: Mapping[OverlayName, str],
    overlays: Sequence[Overlay],
    known: Sequence[OverlayName],
) -> Iterator[InvalidFile]:
    """A field with a value for each overlay names no others; a namespace, all overlays of the app."""
    yield from _unknown(given, app.at(field), known)
    for overlay in overlays if field == "namespace" else ():
        if app.goes_to(overlay.name) and overlay.name not in given:
            problem = f"{app.at(field)}: no {field} is given for overlay '{overlay.name}'"
            yield InvalidFile(
                problem, hint=f"add '{overlay.name}: {field.upper()}', or leave the overlay out of 'overlays'"
            )


def _gone(
    departures: Sequence[Departure],
    apps: Sequence[App],
    overlays: Sequence[Overlay],
    removed: Sequence[OverlayName],
) -> Iterator[InvalidFile]:
    """What is said to be gone, and is not, or cannot have been there."""
    known = [*(overlay.name for overlay in overlays), *removed]
    declared = {app.name: app for app in apps}
    for gone in departures:
        yield from _unknown(gone.overlays or (), gone.where, known)
        if isinstance(gone.place, Mapping):
            yield from _unknown(gone.place, gone.where, known)
        app = declared.get(gone.app)
        for overlay in overlays:
            place = gone.place_in(overlay.name)
            if app is None or place is None or not app.goes_to(overlay.name):
                continue
            if app.place_in(overlay.name) == place:
                problem = f"app '{app.name}' has left this place, and goes there, in overlay '{overlay.name}'"
                hint = "name the overlays that it has left: 'overlays: [...]'; or take the entry out"
                yield InvalidFile(f"{gone.where}: {problem}", hint=hint)


def _realm(
    app: App,
    realm: Realm,
    realms: Collection[RealmName],
    catalogue: Catalogue,
    overlays: Sequence[Overlay],
    needed: Callable[[Credential], TokenScope | None],
) -> Iterator[InvalidFile]:
    if realm.name not in realms:
        hint = did_you_mean(realm.name, realms)
        yield InvalidFile(f"{app.at('realm')}: there is no realm '{realm.name}'", hint=hint)
        return
    known = catalogue.tokens.get(realm.name, {})
    for token in realm.tokens:
        if token not in known:
            read = Credential(realm.name, token)
            create = f"create it: {creating(read, needed(read), catalogue.token_expiry.get(realm.name))}"
            for overlay in overlays:
                if app.goes_to(overlay.name) and realm.token_in(overlay.name) == token:
                    create = f"with its Secret in the cluster: arcan bootstrap {overlay.name}; or {create}"
                    break
            hint = did_you_mean(token, known) if nearest(token, known) else create
            problem = f"realm '{realm.name}' has no token named '{token}'"
            yield InvalidFile(f"{app.at('token')}: {problem}", hint=hint)


def _granted(
    placement: Placement, catalogue: Catalogue, needed: Callable[[Credential], TokenScope | None]
) -> Iterator[InvalidFile]:
    """A credential that the app does not name, and its realm does not know."""
    read, reads = placement.credential, placement.app.reads
    if read is None or not isinstance(reads, Realm) or reads.token_in(placement.overlay.name) is not None:
        return
    if read.realm in catalogue.realms() and catalogue.scope_of(read) is None:
        command = creating(read, needed(read), catalogue.token_expiry.get(read.realm))
        where = placement.app.at("realm")
        problem = f"realm '{read.realm}' has no {read} (overlay '{placement.overlay.name}')"
        hint = f"create it: {command}; all that is missing at once: arcan token sync"
        yield InvalidFile(f"{where}: {problem}", hint=hint)


def _features(placement: Placement) -> Iterator[InvalidFile]:
    """What the app, or the store that it reads, asks for and the overlay's version of ESO lacks."""
    overlay, store = placement.overlay, placement.declared_store
    if placement.credential is not None and overlay.settings.unified:
        yield from _lacks(overlay, UNIFIED_STORE, overlay.where)
    if store is not None:
        for feature in store.backend.features():
            yield from _lacks(overlay, feature, store.where)
    for secret in placement.app.secrets:
        if secret.creation == "CreateOrMerge":
            yield from _lacks(overlay, CREATE_OR_MERGE, secret.at("creationPolicy"))


def _lacks(overlay: Overlay, feature: Feature, where: str) -> Iterator[InvalidFile]:
    version = overlay.settings.eso_version
    if feature.missing_in(version):
        problem = f"{feature.what} needs ESO {feature.since}, and overlay '{overlay.name}' is for {version}"
        hint = f"do without it, or upgrade the cluster and set 'esoVersion: {feature.since}'"
        yield InvalidFile(f"{where}: {problem}", hint=hint)
