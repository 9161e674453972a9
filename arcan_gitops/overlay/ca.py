"""How a store comes to trust the server's certificate: one class for each way."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import KeyName, Namespace, ObjectName


class BadCertificateAuthority(ArcanError):
    """A file that cannot be embedded as a store's CA."""


@dataclass(frozen=True, slots=True)
class ConfigMapCa:
    """PEM in a ConfigMap, which ESO reads at every refresh."""

    name: ObjectName
    key: KeyName

    def store_fields(self, namespace: Namespace | None) -> dict[str, Any]:
        """The store's `caProvider`. Only a ClusterSecretStore may, and must, name the namespace."""
        provider = {"type": "ConfigMap", "name": str(self.name), "key": str(self.key)}
        return {"caProvider": provider if namespace is None else {**provider, "namespace": str(namespace)}}


@dataclass(frozen=True, slots=True)
class EmbeddedCa:
    """PEM inside the store itself."""

    pem: bytes

    def store_fields(self, namespace: Namespace | None) -> dict[str, Any]:
        """The store's `caBundle`."""
        return {"caBundle": base64.b64encode(self.pem).decode("ascii")}


@dataclass(frozen=True, slots=True)
class PublicCa:
    """A certificate that every system trusts already."""

    def store_fields(self, namespace: Namespace | None) -> dict[str, Any]:
        """Nothing: ESO falls back to the system's roots."""
        return {}


CertificateAuthority = ConfigMapCa | EmbeddedCa | PublicCa

DEFAULT_CA: Final = ConfigMapCa(ObjectName("arcan-ca"), KeyName("ca.crt"))


def read_ca(path: Path) -> EmbeddedCa:
    """The CA certificates of a PEM file, and only these: text around them is not carried along.

    Raises `BadCertificateAuthority` for a file without certificates, with one that is no CA (RFC 5280
    section 4.2.1.9: basicConstraints with cA true) or has expired, or with a private key beside them.
    """
    hint = "give the server's CA, which is tls/ca.crt in its data directory (/var/lib/arcan/tls/ca.crt)"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadCertificateAuthority(f"{path}: cannot be read: {error.strerror}", hint=hint) from None
    if b"PRIVATE KEY-----" in data:
        raise BadCertificateAuthority(f"{path}: holds a private key, which never belongs here", hint=hint)
    try:
        certificates = x509.load_pem_x509_certificates(data)
    except ValueError:
        raise BadCertificateAuthority(f"{path}: holds no readable PEM certificate", hint=hint) from None
    for number, certificate in enumerate(certificates, start=1):
        which = f"{path}: certificate {number}" if len(certificates) > 1 else f"{path}: the certificate"
        if not _is_ca(certificate):
            raise BadCertificateAuthority(f"{which} is not a CA but a server's own (a leaf)", hint=hint)
        if certificate.not_valid_after_utc < datetime.now(UTC):
            expired = certificate.not_valid_after_utc.date().isoformat()
            raise BadCertificateAuthority(f"{which} expired on {expired}", hint=hint)
    return EmbeddedCa(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates))


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False
