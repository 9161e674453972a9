"""Whether what an app asks for is there: in its realm, by its token, or in the grammar of its store."""

from __future__ import annotations

from collections.abc import Iterator

from arcan_gitops.errors import some
from arcan_gitops.names import InvalidName, KeyName, did_you_mean
from arcan_gitops.overlay.app import App, Consistency, credential_field
from arcan_gitops.overlay.catalogue import Catalogue, Contents, TokenScope
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.declared_secret import DeclaredKey, DeclaredSecret
from arcan_gitops.overlay.placement import Placement
from arcan_gitops.yamlio import InvalidFile


def reading_problems(placement: Placement, catalogue: Catalogue) -> Iterator[InvalidFile]:
    """Every reason why the app would not get what it asks for in this overlay."""
    if placement.credential is None:
        yield from _store(placement)
    else:
        yield from _realm(placement, placement.credential, catalogue)


def _store(placement: Placement) -> Iterator[InvalidFile]:
    """Keys of declared stores follow the grammar of the store's kind; whether they exist only it knows."""
    app, settings = placement.app, placement.overlay.settings
    store = placement.declared_store
    if store is None:
        problem = f"overlay '{placement.overlay.name}' has no store '{app.reads}'"
        if app.reads in (settings.store_name, settings.bulk_store_name):
            hint = "leave 'store' out, and name 'realm' and 'token': the Arcan stores are made for them"
        else:
            hint = f"{did_you_mean(str(app.reads), settings.others)}; declare it in arcan.yaml under 'stores'"
        yield InvalidFile(f"{app.at('store')}: {problem}", hint=hint)
        return
    for secret in app.secrets:
        for entry in secret.entries:
            try:
                store.backend.check_key(entry.key)
            except InvalidName as error:
                yield InvalidFile(f"{entry.where}: {error.message}", hint=error.hint)
            for field in sorted(store.backend.ignored()):
                if getattr(entry, field) is not None:
                    problem = f"store '{store.name}' never uses .remoteRef.{field}"
                    hint = f"every '{field}' of a key gives the same value there; "
                    hint += f"leave it out, or use .remoteRef.{field} in the store ({store.where})"
                    yield InvalidFile(f"{entry.where}: '{field}' makes no difference: {problem}", hint=hint)


def _realm(placement: Placement, read: Credential, catalogue: Catalogue) -> Iterator[InvalidFile]:
    app, environment = placement.app, placement.overlay.environment
    contents = catalogue.contents.get((read.realm, environment))
    if contents is None:
        if read.realm not in catalogue.realms() or environment not in catalogue.environments():
            return  # there is no such realm, or the overlay itself is wrong: both are reported elsewhere
        overlay = placement.overlay.name
        problem = f"realm '{read.realm}' has no environment '{environment}' (overlay '{overlay}')"
        hint = "name the overlays that the app goes to: 'overlays: [...]'; the realm's environments: "
        hint += ", ".join(catalogue.environments(read.realm))
        yield InvalidFile(f"{app.at('realm')}: {problem}", hint=hint)
        return
    for secret in app.secrets:
        for entry in secret.entries:
            if entry.key not in contents.keys:
                where = f"{read.realm}/{environment}"
                problem = f"key '{entry.key}' does not exist in {where}"
                yield InvalidFile(f"{entry.where}: {problem}", hint=did_you_mean(entry.key, contents.keys))
    if read.realm in catalogue.recorded and app.consistency is Consistency.LATEST:
        for secret in app.secrets:
            if secret.is_bulk:
                problem = f"secret '{secret.name}' asks for all keys and names no version"
                hint = f"realm '{read.realm}' records what is removed, and answers no such read, in which "
                hint += "keys could go unseen; leave 'consistency' out, or name the keys"
                yield InvalidFile(f"{secret.where}: {problem}", hint=hint)
    scope = catalogue.scope_of(read)
    if scope is None:
        return
    if not scope.reads_environment(environment):
        problem = f"{read} may not read environment '{environment}' of realm '{read.realm}'"
        wider = "".join(f" --env={each}" for each in sorted({*(scope.environments or ()), environment}))
        hint = (
            f"it may read: {_globs(scope.environments)}; widen it ({_scoping(read)}{wider}), or use another"
        )
        yield InvalidFile(f"{app.at(credential_field(app))}: {problem}", hint=hint)
    for secret in app.secrets:
        yield from _scope(placement, read, secret, scope, contents)


def _scope(
    placement: Placement, read: Credential, secret: DeclaredSecret, scope: TokenScope, contents: Contents
) -> Iterator[InvalidFile]:
    app = placement.app
    if secret.is_bulk and not placement.reads_at_once(secret):
        closed = [str(key) for key in sorted(contents.keys) if not scope.reads_key(key)]
        if closed:
            problem = f"secret '{secret.name}' asks for all keys, and {read} cannot read {some(closed)}"
            hint = f"it may read: {_globs(scope.keys)}; widen it ({_scoping(read)} --key='*'), or use another"
            yield InvalidFile(f"{secret.where}: {problem}", hint=hint)
    elif secret.is_bulk and not scope.reads_whole_environments:
        problem = f"secret '{secret.name}' asks for all keys, but {read} is narrowed by keys"
        hint = f"it may read: {_globs(scope.keys)}; widen it ({_scoping(read)} --key='*'), or use another"
        yield InvalidFile(f"{secret.where}: {problem}", hint=hint)
    for entry in secret.entries:
        if entry.key in contents.keys and not scope.reads_key(KeyName(entry.key)):
            wider = f"{_scoping(read)} --add-key={entry.key}"
            hint = f"it may read: {_globs(scope.keys)}; widen it ({wider}), or use another"
            yield _unreadable(app, read, entry, hint)


def _unreadable(app: App, read: Credential, entry: DeclaredKey, hint: str) -> InvalidFile:
    problem = f"key '{entry.key}' cannot be read by {read} of realm '{read.realm}'"
    return InvalidFile(f"{entry.where}: {problem}", hint=hint)


def _scoping(read: Credential) -> str:
    kind, name = ("token", read.token) if read.account is None else ("account", read.account)
    return f"arcan {kind} scope {name} --realm={read.realm}"


def _globs(globs: tuple[str, ...] | None) -> str:
    return ", ".join(globs or ()) or "nothing"
