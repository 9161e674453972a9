"""Certificates of somebody else's authority, and which of them a port serves."""

from __future__ import annotations

import ipaddress
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from arcan_gitops.certificates import Issued


def issue(ca: Issued, days: int, *more_hosts: str) -> tuple[bytes, bytes]:
    """Chain and key of a certificate for localhost, and more hosts, that ends in so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(ca.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([_name(host) for host in ("localhost", *more_hosts)]), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), critical=False
        )
        .sign(ca.key, hashes.SHA256())
    )
    chain = certificate.public_bytes(Encoding.PEM) + ca.certificate.public_bytes(Encoding.PEM)
    return chain, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def put(folder: Path, pair: tuple[bytes, bytes]) -> None:
    """Both as `tls.crt` and `tls.key` of a folder."""
    for name, data in zip(("tls.crt", "tls.key"), pair, strict=True):
        (folder / f"{name}.new").write_bytes(data)
        (folder / f"{name}.new").rename(folder / name)


def pem_of(*authorities: Issued) -> bytes:
    """The certificates of authorities, as clients have them in one file."""
    return b"".join(each.certificate.public_bytes(Encoding.PEM) for each in authorities)


def _name(host: str) -> x509.GeneralName:
    with suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(host))
    return x509.DNSName(host)


def served(port: int, many: int = 8) -> set[int]:
    """Serial numbers of the certificates that new connections to a port of this machine get."""
    found = set()
    for _ in range(many):
        pem = ssl.get_server_certificate(("127.0.0.1", port))
        found.add(x509.load_pem_x509_certificate(pem.encode()).serial_number)
    return found


def serial(chain: bytes) -> int:
    """The serial number of a chain's first certificate."""
    return x509.load_pem_x509_certificate(chain).serial_number
