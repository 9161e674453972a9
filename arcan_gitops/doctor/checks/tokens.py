"""Tokens: whether they are where stores say, are known, and may read what is asked for. None is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from shlex import quote
from typing import Final

from arcan_gitops.access import TokenRecord, digest, token_id
from arcan_gitops.doctor.asking import Ask, TokenPlace, asks, is_arcan, token_places
from arcan_gitops.doctor.check import Check
from arcan_gitops.doctor.facts import Facts, Repository, StoreRead, Unread
from arcan_gitops.doctor.findings import Found, NotDone, Place, error
from arcan_gitops.doctor.fixes import bootstrapped
from arcan_gitops.eso import KubernetesSecret
from arcan_gitops.eso.objects import StoreId
from arcan_gitops.names import RealmName
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE

_LABEL: Final = f"{SECRET_LABEL_NAME}={SECRET_LABEL_VALUE}"
_JWT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


def _places(facts: Facts) -> Iterator[tuple[TokenPlace, StoreRead, frozenset[Place]]]:
    """The Secrets of the webhook stores that are used."""
    for store in facts.read_stores():
        users = facts.users_of(store.id)
        if users and store.parsed is not None:
            yield from ((place, store, users) for place in token_places(store.parsed))


def _secret(place: TokenPlace, facts: Facts) -> KubernetesSecret | Unread | None:
    return facts.secrets.get((place.namespace, place.secret))


def token_secret(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether the Secret is there."""
    for place, _, users in _places(facts):
        found = _secret(place, facts)
        if isinstance(found, Unread):
            yield found.not_done(f"the token in {place}")
        elif found is None:
            what = "is not there, and stores read their token from it"
            yield error(str(place), what, bootstrapped(facts), of=users)


def token_key(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether it has the key that the store's template asks for."""
    for place, _, users in _places(facts):
        found = _secret(place, facts)
        if not isinstance(found, KubernetesSecret) or found.data.get(place.key):
            continue
        keys = ", ".join(sorted(found.data)) or "none"
        if place.key in found.data:
            what = f"its key {place.key} is empty"
        elif found.type == "kubernetes.io/service-account-token":
            what = f"Kubernetes has not put a token into it: is ServiceAccount {_account(found)} there?"
        else:
            what = f"has no key {place.key}, which its store asks for; it has: {keys}"
        look = facts.kubectl("describe", "secret", place.secret, "-n", place.namespace)
        yield error(str(place), what, look, _replace(place, facts), of=users)


def _account(secret: KubernetesSecret) -> str:
    return secret.annotations.get("kubernetes.io/service-account.name", "(none is named)")


def _replace(place: TokenPlace, facts: Facts) -> str:
    return bootstrapped(facts, (place.namespace, place.secret))


def token_label(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether it has the label without which ESO refuses it."""
    for place, _, users in _places(facts):
        found = _secret(place, facts)
        if isinstance(found, KubernetesSecret) and found.labels.get(SECRET_LABEL_NAME) != SECRET_LABEL_VALUE:
            what = f"lacks the label {_LABEL}, without which ESO refuses it"
            fix = facts.kubectl("label", "secret", place.secret, "-n", place.namespace, _LABEL, "--overwrite")
            yield error(str(place), what, fix, of=users)


def token_form(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether it is a token: one line, with the right checksum."""
    for place, store, users in _places(facts):
        text = _text(place, facts)
        if text is None or store.parsed is None or store.parsed.webhook is None:
            continue
        headers = store.parsed.webhook.headers.values()
        if text != text.strip() and not any("trim" in header for header in headers):
            what = (
                f"its key {place.key} has a line break, which no header may have; {store.id} does not trim it"
            )
            yield error(str(place), what, _replace(place, facts), of=users)
        bare = text.strip()
        if not is_arcan(store.parsed) or token_id(bare) is not None or _JWT.fullmatch(bare):
            continue
        what = f"its key {place.key} is no token of Arcan"
        if bare.startswith("arc_"):
            what = f"the token in its key {place.key} is damaged: a character is missing, or another one"
        elif "REPLACE" in bare or "YOUR" in bare:
            what = f"its key {place.key} still holds a placeholder"
        yield error(str(place), what, _replace(place, facts), of=users)


def _text(place: TokenPlace, facts: Facts) -> str | None:
    found = _secret(place, facts)
    value = found.data.get(place.key) if isinstance(found, KubernetesSecret) else None
    return None if not value else value.decode("utf-8", "replace")


def _records(facts: Facts) -> Iterator[tuple[RealmName, TokenRecord]]:
    assert isinstance(facts.repository, Repository)
    for realm, records in facts.repository.tokens.items():
        yield from ((realm, record) for record in records)


def token_known(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether its digest is in the tokens.yaml of the realm that is read, and whether it has ended."""
    if isinstance(facts.repository, Unread):
        if any(True for _ in asks(facts)):
            yield facts.repository.not_done("the digests of tokens against tokens.yaml")
        return
    realms: dict[StoreId, set[str]] = {}
    for ask in asks(facts):
        realms.setdefault(ask.store.id, set()).add(ask.realm)
    for place, store, users in _places(facts):
        text = _text(place, facts)
        identity = token_id(text.strip()) if text is not None else None
        if text is None or identity is None or store.id not in realms:
            continue
        wanted = sorted(realms[store.id])
        found = [(realm, one) for realm, one in _records(facts) if one.digest == digest(text.strip())]
        if not found:
            same_id = any(one.id == identity for _, one in _records(facts))
            what = f"its token (id {identity}) is in no tokens.yaml: it was revoked, or made elsewhere"
            if same_id:
                what = (
                    f"its token has the id {identity} of tokens.yaml, and another digest: it is another token"
                )
            fix = f"arcan token list --realm {quote(wanted[0])}"
            yield error(str(place), what, fix, _replace(place, facts), of=users)
        for realm, record in found:
            if record.expired(facts.now):
                ended = f"{record.expires:%Y-%m-%d %H:%M} UTC"
                what = f"its token {realm}/{record.name} ended on {ended}"
                rotate = f"arcan token rotate {record.id} --realm {realm}"
                yield error(str(place), what, rotate, _replace(place, facts), of=users)
            elif realm not in wanted and set(wanted) <= set(facts.repository.tokens):
                what = (
                    f"its token {record.name} is of realm {realm}, and {store.id} reads {', '.join(wanted)}"
                )
                yield error(str(place), what, _replace(place, facts), of=users)


def token_scope(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether the token may read what is asked for by it."""
    if isinstance(facts.repository, Unread):
        return  # said by `token-known`
    refused: dict[tuple[str, str, str], list[Ask]] = {}
    for ask in asks(facts):
        found = _record_of(ask, facts)
        if found is None or found[0] != ask.realm:
            continue
        _, record = found
        if not record.scope.allows_environment(ask.environment):
            add = f"--env {quote(ask.environment)}"
        elif ask.key is None and not record.scope.all_keys:
            add = "--key '*'"
        elif ask.key is not None and not record.scope.allows_key(ask.key):
            add = f"--add-key {quote(ask.key)}"
        else:
            continue
        refused.setdefault((ask.realm, record.name, add), []).append(ask)
    for (realm, name, add), wanted in refused.items():
        what = f"may not read {wanted[0].names}" + (", which needs all keys" if wanted[0].key is None else "")
        of_realm = f"--realm {quote(realm)}"
        fix = (f"arcan token sync --widen {quote(name)}", f"arcan token scope {quote(name)} {of_realm} {add}")
        yield error(f"token {realm}/{name}", what, *fix, of=[ask.external.place for ask in wanted])


def _record_of(ask: Ask, facts: Facts) -> tuple[RealmName, TokenRecord] | None:
    wanted = {digest(text) for text in tokens_of(ask, facts)}
    return next((each for each in _records(facts) if each[1].digest in wanted), None)


def tokens_of(ask: Ask, facts: Facts) -> Iterator[str]:
    """The tokens that a read can carry: to be compared by digest or id, and never shown."""
    if ask.store.parsed is not None:
        for place in token_places(ask.store.parsed):
            if (text := _text(place, facts)) is not None:
                yield text.strip()


CHECKS = (
    Check("token-secret", "the Secret that a store's token is in", "to read it", token_secret),
    Check("token-key", "its key", "to read it", token_key),
    Check("token-label", "its label", "to read it", token_label),
    Check("token-form", "whether it is a token, without a line break", "to read it", token_form),
    Check("token-known", "its digest, in tokens.yaml, and its end", "to read it; the realms", token_known),
    Check("token-scope", "what the token may read", "to read it; the realms", token_scope),
)
