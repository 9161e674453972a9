"""What is wrong with the declared apps, before anything is written: all of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from arcan_gitops.names import InvalidName, KeyName, did_you_mean, nearest
from arcan_gitops.overlay.app import App, DeclaredKey, DeclaredSecret
from arcan_gitops.overlay.catalogue import Catalogue, TokenScope
from arcan_gitops.overlay.placement import Placement, by_store_namespace, names_for, placements
from arcan_gitops.overlay.settings import Overlay
from arcan_gitops.yamlio import InvalidFile


def find_problems(
    apps: Sequence[App], overlays: Sequence[Overlay], catalogue: Catalogue
) -> tuple[InvalidFile, ...]:
    """Every reason why the overlays cannot be generated, each with its file, line and nearest match.

    In the order of overlays and apps; two overlays of one environment do not say the same thing twice.
    """
    found: dict[str, InvalidFile] = {}
    for problem in _all(apps, overlays, catalogue):
        found.setdefault(problem.message, problem)
    return tuple(found.values())


def _all(apps: Sequence[App], overlays: Sequence[Overlay], catalogue: Catalogue) -> Iterator[InvalidFile]:
    for overlay in overlays:
        if overlay.environment not in catalogue.environments():
            problem = f"overlay '{overlay.name}': no realm has an environment '{overlay.environment}'"
            hint = did_you_mean(overlay.environment, catalogue.environments())
            yield InvalidFile(f"{overlay.where}: {problem}", hint=hint)
    for app in apps:
        yield from _declaration(app, overlays, catalogue)
    for overlay in overlays:
        placed = placements(apps, overlay)
        for placement in placed:
            if placement.app.realm in catalogue.realms():
                yield from _reads(placement, catalogue)
        yield from _collisions(placed)


def _declaration(app: App, overlays: Sequence[Overlay], catalogue: Catalogue) -> Iterator[InvalidFile]:
    """What holds whichever overlay the app goes to."""
    known = [overlay.name for overlay in overlays]
    if app.realm not in catalogue.realms():
        hint = did_you_mean(app.realm, catalogue.realms())
        yield InvalidFile(f"{app.at('realm')}: there is no realm '{app.realm}'", hint=hint)
    elif app.token not in (tokens := catalogue.tokens.get(app.realm, {})):
        create = f"arcan token create --realm={app.realm} --name={app.token} --policy=read-only"
        hint = did_you_mean(app.token, tokens) if nearest(app.token, tokens) else f"create it: {create}"
        yield InvalidFile(
            f"{app.at('token')}: realm '{app.realm}' has no token named '{app.token}'", hint=hint
        )
    for name in app.overlays or ():
        if name not in known:
            hint = did_you_mean(name, known)
            yield InvalidFile(f"{app.at('overlays')}: there is no overlay '{name}'", hint=hint)
    if isinstance(app.namespaces, str):
        return
    for name in app.namespaces:
        if name not in known:
            hint = did_you_mean(name, known)
            yield InvalidFile(f"{app.at('namespace')}: there is no overlay '{name}'", hint=hint)
    for name in known:
        if app.goes_to(name) and name not in app.namespaces:
            problem = f"{app.at('namespace')}: no namespace is given for overlay '{name}'"
            yield InvalidFile(
                problem, hint=f"add '{name}: NAMESPACE', or leave the overlay out of 'overlays'"
            )


def _reads(placement: Placement, catalogue: Catalogue) -> Iterator[InvalidFile]:
    """Whether all that the app asks for exists in the overlay's environment, and its token may read it."""
    app, environment = placement.app, placement.overlay.environment
    if environment not in catalogue.environments():
        return  # the overlay itself is wrong, and said so
    keys = catalogue.keys.get((app.realm, environment))
    if keys is None:
        problem = (
            f"realm '{app.realm}' has no environment '{environment}' (overlay '{placement.overlay.name}')"
        )
        hint = "name the overlays that the app goes to: 'overlays: [...]'; the realm's environments: "
        hint += ", ".join(catalogue.environments(app.realm))
        yield InvalidFile(f"{app.at('realm')}: {problem}", hint=hint)
        return
    for secret in app.secrets:
        for entry in secret.keys or ():
            if entry.key not in keys:
                problem = f"key '{entry.key}' does not exist in {app.realm}/{environment} (app '{app.name}')"
                yield InvalidFile(f"{entry.where}: {problem}", hint=did_you_mean(entry.key, keys))
    scope = catalogue.tokens.get(app.realm, {}).get(app.token)
    if scope is None:
        return
    if not scope.reads_environment(environment):
        problem = f"token '{app.token}' may not read environment '{environment}' of realm '{app.realm}'"
        hint = f"it may read: {_globs(scope.environments)}; the server would answer 403"
        yield InvalidFile(f"{app.at('token')}: {problem}", hint=hint)
    for secret in app.secrets:
        yield from _scope(app, secret, scope, keys)


def _scope(
    app: App, secret: DeclaredSecret, scope: TokenScope, keys: Sequence[KeyName]
) -> Iterator[InvalidFile]:
    hint = f"it may read: {_globs(scope.keys)}; the server would answer 403, so widen it or use another"
    if secret.keys is None and not scope.reads_whole_environments:
        problem = f"secret '{secret.name}' asks for all keys, but token '{app.token}' is narrowed by keys"
        yield InvalidFile(f"{secret.where}: {problem}", hint=hint)
    for entry in secret.keys or ():
        if entry.key in keys and not scope.reads_key(entry.key):
            yield _unreadable(app, entry, hint)


def _unreadable(app: App, entry: DeclaredKey, hint: str) -> InvalidFile:
    problem = f"key '{entry.key}' cannot be read by token '{app.token}' of realm '{app.realm}'"
    return InvalidFile(f"{entry.where}: {problem} (app '{app.name}')", hint=hint)


def _globs(globs: tuple[str, ...] | None) -> str:
    return ", ".join(globs or ()) or "nothing"


def _collisions(placed: Sequence[Placement]) -> Iterator[InvalidFile]:
    """Two Kubernetes Secrets of one name in one namespace of an overlay; the tokens' own Secrets too."""
    owners: dict[tuple[str, str], str] = {}
    for group in by_store_namespace(placed).values():
        try:
            names = names_for(group)
        except InvalidName as error:
            yield _unnameable(group, error)
            continue
        for placement in group:
            name = names[placement.credential].token_secret
            owners[placement.token_namespace, name] = "it holds the store's own token"
    for placement in placed:
        for secret in placement.app.secrets:
            place = (placement.namespace, secret.name)
            if (owner := owners.get(place)) is not None:
                problem = f"Secret '{secret.name}' of namespace '{placement.namespace}' is taken: {owner}"
                yield InvalidFile(f"{secret.where}: {problem}", hint="give it another name")
            owners.setdefault(place, f"declared at {secret.where}")


def _unnameable(group: Sequence[Placement], error: InvalidName) -> InvalidFile:
    """Several tokens meet, so that names must end in theirs, and one is no name for Kubernetes."""
    apps = ", ".join(f"'{placement.app.name}'" for placement in group)
    where = group[0].app.at("token")
    problem = (
        f"apps {apps} use different tokens, so the names of their stores end in the token's: {error.message}"
    )
    return InvalidFile(f"{where}: {problem}", hint="name the tokens in lower case, or use one token for all")
