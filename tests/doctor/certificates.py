"""Chains of certificates as a test wants them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOST = "arcan.internal"


class Party:
    """A certificate and its key, with which it can sign others."""

    def __init__(
        self,
        name: str,
        issuer: Party | None = None,
        *,
        ca: bool = True,
        hosts: tuple[str, ...] = (),
        days: tuple[int, int] = (-10, 10),
    ) -> None:
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        signer = issuer or self
        builder = (
            x509.CertificateBuilder(
                signer.name, self.name, self.key.public_key(), x509.random_serial_number()
            )
            .not_valid_before(NOW + timedelta(days=days[0]))
            .not_valid_after(NOW + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if hosts:
            names = [x509.DNSName(host) for host in hosts]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        self.certificate = builder.sign(signer.key, hashes.SHA256())


def leaf(
    issuer: Party | None, *, hosts: tuple[str, ...] = (HOST,), days: tuple[int, int] = (-10, 10)
) -> Party:
    """A server's certificate."""
    return Party("server", issuer, ca=False, hosts=hosts, days=days)
