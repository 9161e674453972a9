"""A CA of our own and the certificates under it: made in memory; whoever calls says where they go."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from arcan_gitops.names import InvalidName

CA_LIFE: Final = timedelta(days=3650)
SERVER_LIFE: Final = timedelta(days=825)
_BACKDATE: Final = timedelta(hours=1)  # clocks of a cluster differ
_HOST: Final = re.compile(r"(?:\*\.)?[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate, its private key, and for a server's certificate the CA above it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    issuer: x509.Certificate | None = None

    def chain(self) -> bytes:
        """PEM. The CA follows, so that `openssl s_client -showcerts` shows what clients have to trust."""
        issuer = () if self.issuer is None else (self.issuer,)
        certificates = (self.certificate, *issuer)
        return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)

    def private_key(self) -> bytes:
        """PEM, PKCS #8, not encrypted."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def host_name(text: str) -> x509.GeneralName:
    """An IP address or a host name, as a certificate names it. Raises `InvalidName`."""
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        if _HOST.fullmatch(text) is None:
            hint = "as in arcan.internal, 10.0.0.1 or ::1, without a port"
            raise InvalidName(f"'{text}': neither an IP address nor a host name", hint=hint) from None
        return x509.DNSName(text)


def new_ca() -> Issued:
    """A self-signed CA for ten years, ECDSA P-256, which can sign servers and no further CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Arcan GitOps CA")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Issued(certificate, key)


def issue(ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, hosts: Sequence[str]) -> Issued:
    """A server's certificate for the hosts, ECDSA P-256, for 825 days or as long as the CA lives.

    Raises `InvalidName` for a text that is not a host.
    """
    names = [host_name(host) for host in hosts]
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(
            ca.subject,
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Arcan GitOps server")]),
            key.public_key(),
            x509.random_serial_number(),
        )
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(min(now + SERVER_LIFE, ca.not_valid_after_utc))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    return Issued(certificate, key, ca)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
