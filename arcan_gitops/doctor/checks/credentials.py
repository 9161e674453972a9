"""Tokens and CAs: whether they are where stores say, and what they hold. No token is ever shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cryptography import x509

from arcan_gitops.access import TokenRecord, digest, token_id
from arcan_gitops.doctor.asking import Ask, TokenPlace, asks, ca_place, endpoint, is_arcan, token_places
from arcan_gitops.doctor.chain import is_ca, title
from arcan_gitops.doctor.check import Check
from arcan_gitops.doctor.dialling import Reached
from arcan_gitops.doctor.facts import Facts, Repository, StoreRead, Unread
from arcan_gitops.doctor.findings import Found, NotDone, Place, error, note, warning
from arcan_gitops.eso import KubernetesSecret
from arcan_gitops.eso.objects import StoreId
from arcan_gitops.names import RealmName
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE

_LABEL: Final = f"{SECRET_LABEL_NAME}={SECRET_LABEL_VALUE}"
_JWT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_BLOCK: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def _places(facts: Facts) -> Iterator[tuple[TokenPlace, StoreRead, frozenset[Place]]]:
    """The Secrets of the webhook stores that are used."""
    for store in facts.read_stores():
        users = facts.users_of(store.id)
        if users and store.parsed is not None:
            yield from ((place, store, users) for place in token_places(store.parsed, users))


def _secret(place: TokenPlace, facts: Facts) -> KubernetesSecret | Unread | None:
    return facts.secrets.get((place.namespace, place.secret))


def token_secret(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether the Secret is there."""
    for place, store, users in _places(facts):
        found = _secret(place, facts)
        if isinstance(found, Unread):
            yield found.not_done(f"the token in {place}")
        elif found is None:
            what = f"is not there: {store.id} reads its token from it"
            yield error(str(place), what, _make(facts), of=users)


def _make(facts: Facts) -> str:
    overlay = facts.repository.overlay if isinstance(facts.repository, Repository) else ""
    return f"arcan bootstrap {overlay or 'OVERLAY'} > bootstrap.sh && bash bootstrap.sh"


def token_key(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether it has the key that the store's template asks for."""
    for place, store, users in _places(facts):
        found = _secret(place, facts)
        if not isinstance(found, KubernetesSecret) or found.data.get(place.key):
            continue
        keys = ", ".join(sorted(found.data)) or "none"
        if place.key in found.data:
            what = f"its key {place.key} is empty"
        elif found.type == "kubernetes.io/service-account-token":
            what = f"Kubernetes has not put a token into it: is ServiceAccount {_account(found)} there?"
        else:
            what = f"has no key {place.key}, which {store.id} asks for; it has: {keys}"
        look = facts.kubectl("describe", "secret", place.secret, "-n", place.namespace)
        yield error(str(place), what, look, _replace(place, facts), of=users)


def _account(secret: KubernetesSecret) -> str:
    return secret.annotations.get("kubernetes.io/service-account.name", "(none is named)")


def _replace(place: TokenPlace, facts: Facts) -> str:
    overlay = facts.repository.overlay if isinstance(facts.repository, Repository) else ""
    where = f"REPLACE={place.namespace}/{place.secret}"
    return f"arcan bootstrap {overlay or 'OVERLAY'} > bootstrap.sh && {where} bash bootstrap.sh"


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
        what = f"its key {place.key} is no token of Arcan ({len(text)} characters)"
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
            fix = f"arcan token list --realm {wanted[0]}"
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
            add = f"--env {ask.environment}"
        elif ask.key is None and not record.scope.all_keys:
            add = "--key '*'"
        elif ask.key is not None and not record.scope.allows_key(ask.key):
            add = f"--add-key {ask.key}"
        else:
            continue
        refused.setdefault((ask.realm, record.name, add), []).append(ask)
    for (realm, name, add), wanted in refused.items():
        what = f"may not read {wanted[0].names}" + (", which needs all keys" if wanted[0].key is None else "")
        fix = (f"arcan token sync --widen {name}", f"arcan token scope {name} --realm {realm} {add}")
        yield error(f"token {realm}/{name}", what, *fix, of=[ask.external.place for ask in wanted])


def _record_of(ask: Ask, facts: Facts) -> tuple[RealmName, TokenRecord] | None:
    wanted = {digest(text) for text in tokens_of(ask, facts)}
    return next((each for each in _records(facts) if each[1].digest in wanted), None)


def tokens_of(ask: Ask, facts: Facts) -> Iterator[str]:
    """The tokens that a read can carry: to be compared by digest or id, and never shown."""
    if ask.store.parsed is not None:
        for place in token_places(ask.store.parsed, frozenset({ask.external.place})):
            if (text := _text(place, facts)) is not None:
                yield text.strip()


def _authorities(facts: Facts) -> Iterator[tuple[str, bytes | Unread | None, StoreRead, frozenset[Place]]]:
    """(object, PEM, store, users) of each CA that a store names; None: the object or its key is not there."""
    for store in facts.read_stores():
        users = facts.users_of(store.id)
        if not users or store.parsed is None or store.parsed.webhook is None:
            continue
        if store.parsed.webhook.ca_bundle:
            yield f"caBundle of {store.id}", store.parsed.webhook.ca_bundle, store, users
        elif (place := ca_place(store.parsed)) is not None:
            kind, namespace, name, key = place
            yield f"{kind} {namespace}/{name}", _pem(kind, namespace, name, key, facts), store, users


def _pem(kind: str, namespace: str, name: str, key: str, facts: Facts) -> bytes | Unread | None:
    if kind == "Secret":
        secret = facts.secrets.get((namespace, name))
        return secret.data.get(key) if isinstance(secret, KubernetesSecret) else secret
    config_map = facts.config_maps.get((namespace, name))
    if config_map is None or isinstance(config_map, Unread):
        return config_map
    text = config_map.data.get(key)
    return None if text is None else text.encode()


def certificates_of(store: StoreRead, facts: Facts) -> list[x509.Certificate] | None:
    """What a store trusts, as far as it can be read; None: the roots of the system."""
    for _, pem, one, _ in _authorities(facts):
        if one.id == store.id:
            return _certificates(pem) if isinstance(pem, bytes) else []
    return None


def _certificates(pem: bytes) -> list[x509.Certificate]:
    found = []
    for block in _BLOCK.findall(pem):
        try:
            found.append(x509.load_pem_x509_certificate(block))
        except ValueError:
            continue
    return found


def ca_object(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether the CA is where the store says: the object, its namespace, its key."""
    for where, pem, store, users in _authorities(facts):
        if isinstance(pem, Unread):
            yield pem.not_done(f"the CA in {where}")
        elif pem is None and (place := ca_place(store.parsed)) is not None:  # type: ignore[arg-type]
            kind, namespace, name, key = place
            there = (facts.secrets if kind == "Secret" else facts.config_maps).get((namespace, name))
            what = "is not there" if there is None else f"has no key {key}"
            fix = _save_ca(store, namespace, name, key, facts)
            yield error(where, f"{what}: {store.id} reads the server's CA from it", *fix, of=users)


def _save_ca(store: StoreRead, namespace: str, name: str, key: str, facts: Facts) -> tuple[str, ...]:
    """The commands that put the right CA there."""
    make = facts.kubectl("create", "configmap", name, "-n", namespace, f"--from-file={key}=arcan-ca.crt")
    fetch = fetch_ca(store)
    return (*fetch, f"{make} --dry-run=client -o yaml | {facts.kubectl('apply', '--server-side', '-f', '-')}")


def fetch_ca(store: StoreRead) -> tuple[str, ...]:
    """The command that takes the CA of a store's server."""
    place = endpoint(store.parsed) if store.parsed is not None else None
    if place is None:
        return ()
    host = f"[{place[1]}]" if ":" in place[1] else place[1]
    return (f"arcan ca fetch https://{host}:{place[2]} --output arcan-ca.crt",)


def new_ca(store: StoreRead, facts: Facts) -> tuple[str, ...]:
    """The commands that make a store trust the CA of its server."""
    place = ca_place(store.parsed) if store.parsed is not None else None
    if place is None or place[0] != "ConfigMap":
        return (*fetch_ca(store), "arcan generate overlays   # with the file as kustomize/ca.crt")
    return _save_ca(store, *place[1:], facts)


def ca_content(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether it is certificates, of CAs, that are valid."""
    for where, pem, store, users in _authorities(facts):
        if not isinstance(pem, bytes):
            continue
        found = _certificates(pem)
        if not found:
            what = f"holds no certificate in PEM form: {store.id} cannot read a CA from it"
            yield error(where, what, *new_ca(store, facts), of=users)
        if b"PRIVATE KEY-----" in pem:
            what = "holds a private key, which never belongs there: whoever reads it can be the server"
            yield error(where, what, *new_ca(store, facts), of=users)
        for one in found:
            if facts.now > one.not_valid_after_utc:
                what = f"{title(one)} ended on {one.not_valid_after_utc:%Y-%m-%d}"
                say = error if len(found) == 1 else warning
                yield say(where, what, *new_ca(store, facts), of=users)
            elif not is_ca(one):
                what = (
                    f"holds {title(one)}, a server's own certificate and no CA: "
                    "it works until that certificate is renewed"
                )
                yield warning(where, what, *new_ca(store, facts), of=users)


def ca_unneeded(facts: Facts) -> Iterator[Found | NotDone]:
    """A CA for a server whose certificate every system trusts."""
    for where, pem, store, _ in _authorities(facts):
        place = endpoint(store.parsed) if store.parsed is not None else None
        reached = facts.reached.get(place[1:]) if place is not None else None
        if isinstance(pem, bytes) and isinstance(reached, Reached) and reached.is_public:
            what = f"{store.id} needs no CA: every system trusts the certificate of {reached.host}"
            yield note(where, what, "arcan generate overlays   # with server: {ca: {public: true}}")


CHECKS = (
    Check("token-secret", "the Secret that a store's token is in", "to read it", token_secret),
    Check("token-key", "its key", "to read it", token_key),
    Check("token-label", "its label", "to read it", token_label),
    Check("token-form", "whether it is a token, without a line break", "to read it", token_form),
    Check("token-known", "its digest, in tokens.yaml, and its end", "to read it; the realms", token_known),
    Check("token-scope", "what the token may read", "to read it; the realms", token_scope),
    Check("ca-object", "the ConfigMap or Secret of the CA", "to read it", ca_object),
    Check("ca-content", "the certificates in it", "to read it", ca_content),
    Check("ca-unneeded", "whether a CA is needed at all", "the server to be reached", ca_unneeded),
)
