"""Whether realms grant their tokens and accounts what the declared apps read by them, and nothing beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from arcan_gitops.errors import some
from arcan_gitops.names import EnvironmentName, KeyName
from arcan_gitops.overlay.app import App
from arcan_gitops.overlay.catalogue import Catalogue, TokenScope
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.needed_tokens import scope_of
from arcan_gitops.overlay.placement import Placement, placements
from arcan_gitops.overlay.settings import Overlay

_NAMED = 8  # keys, in a text


class State(StrEnum):
    """What is wrong with one; a token or account may be too narrow and too wide at once."""

    MISSING = "missing"
    NARROW = "too narrow"
    WIDE = "too wide"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Finding:
    """One token or account whose scope is not what the apps need: `held` by its realm, `needed` by them."""

    credential: Credential
    states: tuple[State, ...]
    held: TokenScope | None
    needed: TokenScope | None

    def says(self, state: State) -> str:
        """What is wrong, in words."""
        if self.needed is None:
            return "no declared app reads by it"
        if self.held is None:
            return f"apps read {_text(self.needed)}"
        if state is State.NARROW:
            return f"apps read {_text(lacking(self.held, self.needed))}, which it may not"
        return f"it may read {_text(self.held)}, and apps read {_text(self.needed)}"


def needed_scopes(apps: Sequence[App], overlays: Sequence[Overlay]) -> Mapping[Credential, TokenScope]:
    """What the apps read by each token and account, over all overlays; without those that read no key."""
    using: dict[Credential, list[Placement]] = {}
    for overlay in overlays:
        for placement in placements(apps, overlay):
            if placement.credential is not None:
                using.setdefault(placement.credential, []).append(placement)
    scopes = {credential: scope_of(using[credential]) for credential in sorted(using)}
    return {credential: scope for credential, scope in scopes.items() if scope.keys != ()}


def findings(needed: Mapping[Credential, TokenScope], catalogue: Catalogue) -> tuple[Finding, ...]:
    """All that is not as it should be, sorted by realm, tokens before accounts."""
    held = dict(_held(catalogue))
    found: list[Finding] = []
    for credential in sorted({*needed, *held}, key=_order):
        has, needs = held.get(credential), needed.get(credential)
        if has is None:
            found.append(Finding(credential, (State.MISSING,), None, needs))
        elif needs is None:
            found.append(Finding(credential, (State.UNUSED,), has, None))
        else:
            states = [State.NARROW] if _lacks(has, needs) else []
            states += [State.WIDE] if _exceeds(has, needs) else []
            if states:
                found.append(Finding(credential, tuple(states), has, needs))
    return tuple(found)


def narrowed(held: TokenScope, needed: TokenScope) -> TokenScope:
    """What of `needed` is in `held`: nothing that it may not read by now."""
    environments = [
        each for each in needed.environments or () if held.reads_environment(EnvironmentName(each))
    ]
    if needed.keys is None:
        return TokenScope(tuple(environments), held.keys)
    return TokenScope(tuple(environments), tuple(key for key in needed.keys if held.reads_key(KeyName(key))))


def widened(held: TokenScope, needed: TokenScope) -> TokenScope:
    """`held`, and what `needed` has beside."""
    more = lacking(held, needed)
    environments = None if held.environments is None else (*held.environments, *(more.environments or ()))
    keys = None if held.keys is None or needed.keys is None else (*held.keys, *(more.keys or ()))
    return TokenScope(environments, keys)


def lacking(held: TokenScope, needed: TokenScope) -> TokenScope:
    """What of `needed` is not in `held`."""
    environments = [e for e in needed.environments or () if not held.reads_environment(EnvironmentName(e))]
    if needed.keys is None:
        return TokenScope(tuple(environments), () if held.reads_whole_environments else None)
    keys = tuple(key for key in needed.keys if not held.reads_key(KeyName(key)))
    return TokenScope(tuple(environments), keys)


def _held(catalogue: Catalogue) -> Iterable[tuple[Credential, TokenScope]]:
    for realm, tokens in catalogue.tokens.items():
        yield from ((Credential(realm, name), scope) for name, scope in tokens.items())
    for realm, accounts in catalogue.accounts.items():
        yield from ((Credential(realm, account=name), scope) for name, scope in accounts.items())


def _order(credential: Credential) -> tuple[str, bool, str]:
    return credential.realm, credential.account is not None, str(credential)


def _lacks(held: TokenScope, needed: TokenScope) -> bool:
    more = lacking(held, needed)
    return bool(more.environments) or more.keys != ()


def _exceeds(held: TokenScope, needed: TokenScope) -> bool:
    wide = held.environments is None or not {*held.environments} <= {*(needed.environments or ())}
    if needed.keys is None:
        return wide
    return wide or held.keys is None or not {*held.keys} <= {*needed.keys}


def _text(scope: TokenScope) -> str:
    parts = []
    if scope.keys != ():
        parts.append("all keys" if scope.keys is None else some(scope.keys, _NAMED))
    if scope.environments != ():
        names = "all environments" if scope.environments is None else ", ".join(scope.environments)
        parts.append(f"of {names}" if parts else f"environment {names}")
    return " ".join(parts)
