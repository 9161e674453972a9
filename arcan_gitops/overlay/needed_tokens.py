"""What the declared apps need of each token or account: the narrowest scope, and where stores read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from arcan_gitops.names import AppName, InvalidName, KeyName, Namespace, ObjectName, OverlayName
from arcan_gitops.overlay.app import App
from arcan_gitops.overlay.catalogue import TokenScope
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.naming import store_names
from arcan_gitops.overlay.placement import Placement, by_store_namespace, names_for, placements
from arcan_gitops.overlay.settings import Overlay, StoreSettings
from arcan_gitops.overlay.uses import Use

# How long a token lives where `tokenExpiry` of the realm's realm.yaml says nothing.
TOKEN_EXPIRY: Final = "180d"


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """A Kubernetes Secret that an Arcan store of an overlay reads a token from; no namespace: any."""

    namespace: Namespace | None
    secret: ObjectName
    key: KeyName
    overlays: tuple[OverlayName, ...] = ()


def needed_scope(
    apps: Sequence[App], overlays: Sequence[Overlay], credential: Credential
) -> TokenScope | None:
    """What the token must be able to read for all apps that use it, and nothing beside; None: no app does.

    One token has one scope, so that a key which one environment needs can be read in all of them.
    """
    using = list(_using(apps, overlays, credential))
    return scope_of(using) if using else None


def scope_of(using: Sequence[Placement]) -> TokenScope:
    """What these placements read of their realm together."""
    secrets = [secret for placement in using for secret in placement.app.secrets]
    raw = [entry for placement in using for entry in placement.app.raw]
    keys = {entry.key for secret in secrets for entry in secret.entries}
    keys |= {key for entry in raw for key in entry.keys}
    whole = any(secret.is_bulk for secret in secrets) or any(entry.asks_for_all for entry in raw)
    return TokenScope(
        tuple(sorted({placement.overlay.environment for placement in using})),
        None if whole else tuple(sorted(keys)),
    )


def token_places(
    apps: Sequence[App], overlays: Sequence[Overlay], credential: Credential
) -> tuple[TokenPlace, ...]:
    """Every Secret that a store reads the token from, in all overlays, sorted. Raises `InvalidName`."""
    found: dict[tuple[Namespace, ObjectName, KeyName], list[OverlayName]] = {}
    for overlay in overlays:
        for group in by_store_namespace(placements(apps, overlay)).values():
            names = names_for(group).get(credential)
            if names is not None:
                place = (group[0].token_namespace, names.token_secret, overlay.settings.token_secret.key)
                found.setdefault(place, []).append(overlay.name)
    return tuple(TokenPlace(*place, tuple(found[place])) for place in sorted(found))


def place_without_app(
    settings: StoreSettings,
    credential: Credential,
    namespace: Namespace | None,
    named: ObjectName | None = None,
) -> TokenPlace:
    """The Secret of a token that no declared app uses: the one that the stores of the first app will read.

    Raises `InvalidName` where it has to end in the token's name, and Kubernetes takes no such name.
    """
    if named is not None:
        return TokenPlace(namespace, named, settings.token_secret.key)
    try:
        name = store_names(settings, [credential])[credential].token_secret
    except InvalidName as error:
        error.hint = "name the token in lower case, or the Secret with --secret-name"
        raise
    return TokenPlace(namespace, name, settings.token_secret.key)


def creating(credential: Credential, scope: TokenScope | None, expiry: str | None) -> str:
    """The command that makes a token of that scope, which ends after `expiry`, or grants it to an account; it
    is safe to paste.
    """
    if credential.account is not None:
        words = [f" --env={each}" for each in (scope.environments if scope else None) or ()]
        words += [f" --key={each}" for each in (scope.keys if scope else None) or ()]
        return f"arcan account add {credential.account} --realm={credential.realm}{''.join(words)}"
    options = scope_options(scope, expiry)
    return (
        f"arcan token create --realm={credential.realm} --name={credential.token} --policy=read-only{options}"
    )


def scope_options(scope: TokenScope | None, expiry: str | None) -> str:
    """The options of `arcan token create`, each with a space before it."""
    given = TokenScope() if scope is None else scope
    words = [f"--env={environment}" for environment in given.environments or ()]
    words += [f"--key={key}" for key in given.keys or ()]
    words.append(f"--expires={expiry or TOKEN_EXPIRY}")
    return "".join(f" {word}" for word in words)


def _using(apps: Sequence[App], overlays: Sequence[Overlay], credential: Credential) -> Iterator[Placement]:
    for overlay in overlays:
        for placement in placements(apps, overlay):
            if placement.credential == credential:
                yield placement


def uses_out_of_scope(
    apps: Sequence[App], overlays: Sequence[Overlay], credential: Credential, old: TokenScope, new: TokenScope
) -> tuple[Use, ...]:
    """What declared apps read with the token as it was, and could not with its new scope."""
    found: dict[tuple[AppName, str, str], list[OverlayName]] = {}
    for placement in _using(apps, overlays, credential):
        environment, app = placement.overlay.environment, placement.app
        for secret in app.secrets if old.reads_environment(environment) else ():
            there = new.reads_environment(environment)
            if (
                secret.is_bulk
                and old.reads_whole_environments
                and not (there and new.reads_whole_environments)
            ):
                found.setdefault((app.name, secret.where, "all keys"), []).append(placement.overlay.name)
            for entry in secret.entries:
                key = KeyName(entry.key)
                if old.reads_key(key) and not (there and new.reads_key(key)):
                    place = (app.name, entry.where, f"key '{key}'")
                    found.setdefault(place, []).append(placement.overlay.name)
    return tuple(Use(*place, tuple(overlays)) for place, overlays in found.items())
