"""How a store comes to trust the server's certificate: one class for each way."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import KeyName, Namespace, ObjectName
from arcan_gitops.overlay.references import placed
from arcan_gitops.yamlio import Fields


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
        return {"caProvider": placed(provider, namespace)}


@dataclass(frozen=True, slots=True)
class SecretCa:
    """PEM in a Secret that the cluster itself makes and renews, as cert-manager's: nobody makes it by hand.

    `namespace`: where it is, for a ClusterSecretStore; None: in ESO's.
    """

    name: ObjectName
    key: KeyName
    namespace: Namespace | None = None

    def store_fields(self, namespace: Namespace | None) -> dict[str, Any]:
        """The store's `caProvider`, as for `ConfigMapCa`: a SecretStore reads the Secret beside it."""
        provider = {"type": "Secret", "name": str(self.name), "key": str(self.key)}
        return {"caProvider": placed(provider, namespace and (self.namespace or namespace))}


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


CertificateAuthority = ConfigMapCa | SecretCa | EmbeddedCa | PublicCa

# Reads the CA of `ca: {file: ...}`; the path is the text of the file's field.
CaReader = Callable[[str], EmbeddedCa]

_WAYS: Final = ("configMap", "secret", "file", "public")

DEFAULT_CA: Final = ConfigMapCa(ObjectName("arcan-ca"), KeyName("ca.crt"))
COMMITTED_CA: Final = "ca.crt"  # beside arcan.yaml, in Git: no namespace then needs a ConfigMap


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
        if not is_ca(certificate):
            raise BadCertificateAuthority(f"{which} is not a CA but a server's own (a leaf)", hint=hint)
        if certificate.not_valid_after_utc < datetime.now(UTC):
            expired = certificate.not_valid_after_utc.date().isoformat()
            raise BadCertificateAuthority(f"{which} expired on {expired}", hint=hint)
    return EmbeddedCa(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates))


def committed_ca(folder: Path) -> CertificateAuthority:
    """What stores trust where `arcan.yaml` names no CA: `ca.crt` beside it, or else ConfigMap `arcan-ca`.

    Raises `BadCertificateAuthority`, as `read_ca`.
    """
    file = folder / COMMITTED_CA
    return read_ca(file) if file.exists() else DEFAULT_CA


def is_ca(certificate: x509.Certificate) -> bool:
    """RFC 5280, section 4.2.1.9: basicConstraints with cA true."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def parse_ca(parent: Fields, base: CertificateAuthority, read_ca: CaReader) -> CertificateAuthority:
    """The field `ca`: one of four ways, as a whole (who says `ca` inherits nothing of `base`).

    Raises `InvalidFile`.
    """
    fields = parent.optional_mapping("ca")
    if fields is None:
        return base
    fields.only(*_WAYS, "key", "namespace")
    if sum(way in fields for way in _WAYS) > 1:
        fields.fail(f"{', '.join(map(repr, _WAYS[:-1]))} and {_WAYS[-1]!r} exclude each other: choose one")
    if "namespace" in fields and "secret" not in fields:
        fields.fail(
            "'namespace' goes with 'secret' only",
            field="namespace",
            hint="a ConfigMap is in that of the token",
        )
    ca: CertificateAuthority
    if "file" in fields:
        try:
            ca = read_ca(fields.text("file"))
        except ArcanError as error:
            fields.fail(error.message, field="file", hint=error.hint)
    elif "public" in fields:
        if not fields.flag("public"):
            fields.fail("'public' can only be true", field="public", hint="leave it out, or name the CA")
        ca = PublicCa()
    elif "secret" in fields:
        namespace = fields.optional_text("namespace")
        ca = SecretCa(
            fields.parse("secret", ObjectName, fields.text("secret")),
            fields.parse("key", KeyName, fields.text("key", DEFAULT_CA.key)),
            None if namespace is None else fields.parse("namespace", Namespace, namespace),
        )
    else:
        key = fields.parse("key", KeyName, fields.text("key", DEFAULT_CA.key))
        name = fields.parse("configMap", ObjectName, fields.text("configMap", DEFAULT_CA.name))
        ca = ConfigMapCa(name, key)
    fields.done()
    return ca
