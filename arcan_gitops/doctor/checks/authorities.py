"""CAs: whether they are where stores say, and are CAs; and the commands that put the right one there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from shlex import quote
from typing import Final

from cryptography import x509

from arcan_gitops.doctor.asking import ca_place, endpoint
from arcan_gitops.doctor.chain import title
from arcan_gitops.doctor.check import Check
from arcan_gitops.doctor.dialling import Reached
from arcan_gitops.doctor.facts import Facts, StoreRead, Unread
from arcan_gitops.doctor.findings import Found, NotDone, Place, error, note, warning
from arcan_gitops.doctor.fixes import edited
from arcan_gitops.eso import KubernetesSecret
from arcan_gitops.overlay.ca import is_ca

_BLOCK: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def _authorities(facts: Facts) -> Iterator[tuple[str, bytes | Unread | None, StoreRead, frozenset[Place]]]:
    """(object, PEM, store, users) of each CA that a store names; None: the object or its key is not there."""
    for store in facts.read_stores():
        users = facts.users_of(store.id)
        if users and (found := _authority(store, facts)) is not None:
            yield (*found, store, users)


def _authority(store: StoreRead, facts: Facts) -> tuple[str, bytes | Unread | None] | None:
    """(object, PEM) of one; None where the store names none."""
    if store.parsed is None or store.parsed.webhook is None:
        return None
    if store.parsed.webhook.ca_bundle:
        return f"caBundle of {store.id}", store.parsed.webhook.ca_bundle
    if (place := ca_place(store.parsed)) is None:
        return None
    kind, namespace, name, key = place
    return f"{kind} {namespace}/{name}", _pem(kind, namespace, name, key, facts)


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
    found = _authority(store, facts)
    if found is None:
        return None
    return _certificates(found[1]) if isinstance(found[1], bytes) else []


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
            yield error(where, f"{what}, and stores read the server's CA from it", *fix, of=users)


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
    return (f"arcan ca fetch {quote(f'https://{host}:{place[2]}')} --output arcan-ca.crt",)


def new_ca(store: StoreRead, facts: Facts) -> tuple[str, ...]:
    """The commands that make a store trust the CA of its server."""
    place = ca_place(store.parsed) if store.parsed is not None else None
    if place is None or place[0] != "ConfigMap":
        return (*fetch_ca(store), "mv arcan-ca.crt kustomize/ca.crt && arcan generate overlays")
    return _save_ca(store, *place[1:], facts)


def ca_content(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether it is certificates, of CAs, that are valid."""
    for where, pem, store, users in _authorities(facts):
        if not isinstance(pem, bytes):
            continue
        found = _certificates(pem)
        if not found:
            what = "holds no certificate in PEM form"
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
            yield note(where, what, edited("server: {ca: {public: true}}"))


CHECKS = (
    Check("ca-object", "the ConfigMap or Secret of the CA", "to read it", ca_object),
    Check("ca-content", "the certificates in it", "to read it", ca_content),
    Check("ca-unneeded", "whether a CA is needed at all", "the server to be reached", ca_unneeded),
)
