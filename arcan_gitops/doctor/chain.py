"""The certificates that a server shows, link by link, against what a store trusts. Pure.

Go's rules (crypto/x509, `Certificate.Verify`): any certificate of the pool is trusted, also a leaf; a link is
good if its issuer's name and signature fit, the issuer is a CA, and both are within their time.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from arcan_gitops.overlay.ca import is_ca

_LONGEST_CHAIN = 10


class Fault(StrEnum):
    """What may be wrong with a chain. `LEAF_AS_CA` works until the server's next certificate."""

    WRONG_HOST = "wrong-host"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    NOT_A_CA = "not-a-ca"
    OTHER_KEY = "other-key"
    OLD_LEAF = "old-leaf"
    UNKNOWN_ISSUER = "unknown-issuer"
    LEAF_AS_CA = "leaf-as-ca"


@dataclass(frozen=True, slots=True)
class BadLink:
    """A link of the chain that is wrong: `text` names the certificate and says why."""

    fault: Fault
    text: str


def judge(
    shown: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate], host: str, now: datetime
) -> tuple[BadLink, ...]:
    """All that keeps a client that trusts `trusted` from `host`, or will keep it.

    `shown` is what the server shows, the leaf first.
    """
    if not shown:
        return (BadLink(Fault.UNKNOWN_ISSUER, "the server shows no certificate"),)
    path, is_trusted = _path(shown, trusted)
    found = list(_host(shown[0], host))
    found += [bad for link in path for bad in _time(link, now)]
    found += [
        BadLink(Fault.NOT_A_CA, f"{title(link)} has signed another certificate, and is no CA")
        for link in path[1:]
        if not is_ca(link)
    ]
    if not is_trusted:
        found.append(_why_unknown(path[-1], trusted, shown[0]))
    elif len(path) == 1 and not is_ca(shown[0]):
        text = f"what the store trusts is {title(shown[0])}, the server's own certificate, and no CA"
        found.append(BadLink(Fault.LEAF_AS_CA, text))
    return tuple(found)


def authority_of(shown: Sequence[x509.Certificate]) -> x509.Certificate | None:
    """The CA at the upper end of the chain; None where the server shows nothing but its own certificate."""
    if not shown:
        return None
    top = _path(shown, ())[0][-1]
    return top if is_ca(top) else None


def title(certificate: x509.Certificate) -> str:
    """`'Arcan GitOps CA'`: its common name, or all of its subject."""
    return _named(certificate.subject)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 as openssl prints it: `AB:CD:...`."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _named(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return f"'{str(common[0].value) if common else name.rfc4514_string()}'"


def _path(
    shown: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate]
) -> tuple[list[x509.Certificate], bool]:
    """From the leaf upwards, as far as it goes; and whether it ends at what is trusted."""
    path = [shown[0]]
    while len(path) <= _LONGEST_CHAIN:
        if path[-1] in trusted:
            return path, True
        issuer = _issuer(path[-1], trusted) or _issuer(path[-1], [c for c in shown if c not in path])
        if issuer is None:
            break
        path.append(issuer)
    return path, False


def _issuer(certificate: x509.Certificate, candidates: Sequence[x509.Certificate]) -> x509.Certificate | None:
    return next((one for one in candidates if one != certificate and _signed(certificate, one)), None)


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _time(link: x509.Certificate, now: datetime) -> Iterator[BadLink]:
    if now > link.not_valid_after_utc:
        yield BadLink(Fault.EXPIRED, f"{title(link)} ended on {link.not_valid_after_utc:%Y-%m-%d}")
    if now < link.not_valid_before_utc:
        begins = f"{link.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
        yield BadLink(Fault.NOT_YET_VALID, f"{title(link)} is not valid before {begins}: check both clocks")


def _host(leaf: x509.Certificate, host: str) -> Iterator[BadLink]:
    names = _names(leaf)
    try:
        address = str(ipaddress.ip_address(host))
        matches = address in names
    except ValueError:
        matches = any(_covers(name.lower(), host.lower().rstrip(".")) for name in names)
    if not matches:
        has = ", ".join(names) if names else "no name at all"
        yield BadLink(Fault.WRONG_HOST, f"{title(leaf)} is for {has}, and not for {host}")


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    addresses = [str(address) for address in found.get_values_for_type(x509.IPAddress)]
    return [*found.get_values_for_type(x509.DNSName), *addresses]


def _covers(name: str, host: str) -> bool:
    """RFC 6125, section 6.4.3: `*` stands for one whole label, the first one."""
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:]
    return name == host


def _why_unknown(
    top: x509.Certificate, trusted: Sequence[x509.Certificate], leaf: x509.Certificate
) -> BadLink:
    """Why nothing that is trusted has signed the upper end of the chain."""
    issuer = _named(top.issuer)
    if any(one.subject == top.issuer for one in trusted if is_ca(one)):
        text = f"{title(top)} is signed by another key than that of the CA {issuer} that the store trusts"
        return BadLink(Fault.OTHER_KEY, text)
    leaves = [one for one in trusted if not is_ca(one)]
    if any(set(_names(one)) & set(_names(leaf)) for one in leaves):
        text = f"the store trusts a former certificate of the server, and no CA; today's is by {issuer}"
        return BadLink(Fault.OLD_LEAF, text)
    has = ", ".join(dict.fromkeys(title(one) for one in trusted)) or "nothing"
    text = f"{title(top)} is signed by {issuer}, which the server does not show; the store trusts {has}"
    if top.issuer == top.subject:
        text = f"the chain ends at {title(top)}, and the store trusts {has}"
    return BadLink(Fault.UNKNOWN_ISSUER, text)
