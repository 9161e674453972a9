"""Which declared apps use a key or a token: what breaks for them when it goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from arcan_gitops.names import (
    AppName,
    EnvironmentName,
    InvalidName,
    KeyName,
    OverlayName,
    RealmName,
    TokenName,
)
from arcan_gitops.overlay.app import App, Realm, credential_field
from arcan_gitops.overlay.placement import token_of
from arcan_gitops.overlay.settings import Overlay, Settings


@dataclass(frozen=True, slots=True)
class Use:
    """One place in an app's file (`where`, as `file:line`) that names what is used, and the overlays that it
    is used in. `what` names it: `key 'API_KEY'`, `token 'shop'`.
    """

    app: AppName
    where: str
    what: str
    overlays: tuple[OverlayName, ...]

    def __str__(self) -> str:
        return f"app '{self.app}' uses {self.what} in {', '.join(self.overlays)} ({self.where})"


def uses_of_keys(
    apps: Iterable[App],
    settings: Settings,
    realm: RealmName,
    environment: EnvironmentName,
    keys: Sequence[KeyName],
) -> tuple[Use, ...]:
    """Every declared Secret that gets one of the keys from the environment, by its name or with all others.

    In the order of the apps. Where arcan.yaml declares no overlay, the environment is one.
    """
    return tuple(
        use
        for app in apps
        if isinstance(app.reads, Realm) and app.reads.name == realm
        for use in _of_keys(app, keys, _overlays(app, settings, environment))
    )


def _of_keys(app: App, keys: Sequence[KeyName], overlays: tuple[OverlayName, ...]) -> Iterator[Use]:
    if not overlays:
        return
    for secret in app.secrets:
        if secret.is_bulk:
            yield Use(app.name, secret.where, "all keys", overlays)
        for entry in secret.entries:
            if entry.key in keys:
                yield Use(app.name, entry.where, f"key '{entry.key}'", overlays)
    for raw in app.raw:
        if raw.asks_for_all:
            yield Use(app.name, raw.where, "all keys", overlays)
        for key in raw.keys:
            if key in keys:
                yield Use(app.name, raw.where, f"key '{key}'", overlays)


def _overlays(app: App, settings: Settings, environment: EnvironmentName) -> tuple[OverlayName, ...]:
    return tuple(
        overlay.name
        for overlay in settings.overlays([environment])
        if overlay.environment == environment and app.goes_to(overlay.name)
    )


def uses_of_token(
    apps: Iterable[App],
    settings: Settings,
    realm: RealmName,
    environments: Sequence[EnvironmentName],
    token: TokenName,
) -> tuple[Use, ...]:
    """Every app whose stores read the realm with the token, and the overlays in which they do.

    `environments` are those of all realms: where arcan.yaml declares no overlay, each of them is one.
    """
    found = []
    for app in apps:
        reads = app.reads
        if not isinstance(reads, Realm) or reads.name != realm:
            continue
        overlays = tuple(
            overlay.name
            for overlay in settings.overlays(environments)
            if app.goes_to(overlay.name) and _reads_by(app, overlay) == token
        )
        if overlays:
            found.append(Use(app.name, app.at(credential_field(app)), f"token '{token}'", overlays))
    return tuple(found)


def _reads_by(app: App, overlay: Overlay) -> str | None:
    try:
        return token_of(app, overlay)
    except InvalidName:
        return None
