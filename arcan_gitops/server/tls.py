"""The certificates of a server: given ones are checked; without any, a CA of the server's own makes them."""

from __future__ import annotations

import fcntl
import mmap
import os
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from arcan_gitops.atomic import replace_file
from arcan_gitops.certificates import Issued, host_name, issue, new_ca
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import InvalidName

_RENEW_BEFORE: Final = timedelta(days=90)


class BadCertificate(ArcanError):
    """A certificate or key that cannot be served."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A pair that was read and checked; `ca` is the CA that clients must trust, if we made it.

    Whoever loads the pair later reads these bytes again, and not files that somebody may be replacing.
    """

    chain: bytes  # PEM, the server's own certificate first
    key: bytes = field(repr=False)  # PEM
    expires: datetime
    ca: Path | None = None

    @contextmanager
    def as_files(self) -> Iterator[tuple[str, str]]:
        """Paths of the chain and the key, for libraries that take paths: each can be read once, in the block.

        They are pipes, so that the key is on no disk, and nothing is written where nothing may be.
        """
        with _pipe_of(self.chain) as chain, _pipe_of(self.key) as key:
            yield chain, key


def server_context(certificate: Certificate) -> ssl.SSLContext:
    """A context of Python's own that serves the pair."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_into(context, certificate)
    return context


def load_into(context: ssl.SSLContext, certificate: Certificate) -> None:
    """Have a context serve the pair from now on. Raises `ssl.SSLError` where the two do not fit."""
    with certificate.as_files() as (chain, key):
        context.load_cert_chain(chain, key, password="")


def given(cert: Path, key: Path) -> Certificate:
    """A certificate that the operator brought. Raises `BadCertificate` if it is expired or does not match."""
    chain = _read(cert)
    leaf = _parse_certificate(chain, cert)
    _refuse_expired(leaf, cert)
    _refuse_odd_key(leaf.public_key(), cert)
    certificate = Certificate(chain, _read(key), leaf.not_valid_after_utc)
    try:
        server_context(certificate)
    except (ssl.SSLError, OSError):
        raise BadCertificate(
            f"{key}: is not the unencrypted private key of {cert}",
            hint="give the PEM files of one pair with --tls-cert and --tls-key",
        ) from None
    return certificate


def own(folder: Path, hosts: Sequence[str]) -> Certificate:
    """The certificate for `hosts` under the CA in `folder`; both are created where missing, else reused.

    `folder` gets `ca.crt`, `ca.key`, `server.crt` and `server.key`, ECDSA P-256. The server's certificate
    is renewed when the hosts change or it has less than 90 days; the CA, which clients trust, never is.
    Raises `BadCertificate`, `CannotWrite`.
    """
    names = [_general_name(host) for host in hosts]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadCertificate(
            f"{folder}: cannot be created: {error.strerror}",
            hint="give a folder that the server may write with --data-dir, or certificates with --tls-cert",
        ) from None
    ca_path, ca_key_path = folder / "ca.crt", folder / "ca.key"
    path, key_path = folder / "server.crt", folder / "server.key"
    if ca_path.exists() != ca_key_path.exists():
        raise BadCertificate(
            f"{folder}: holds one of ca.crt and ca.key, and needs both or none",
            hint="restore the missing one, or delete the other for a new CA, which clients must then trust",
        )
    if not ca_path.exists():
        _write(new_ca(), ca_path, ca_key_path)
    ca = _read_certificate(ca_path)
    _refuse_expired(ca, ca_path)
    if not _is_current(path, key_path, ca, names):
        ca_key = _read_key(ca_key_path)
        if ca_key.public_key() != ca.public_key():
            raise BadCertificate(
                f"{ca_key_path}: is not the key of {ca_path}", hint="put the two files of one CA there"
            )
        _write(issue(ca, ca_key, hosts), path, key_path)
    chain = _read(path)
    return Certificate(chain, _read(key_path), _parse_certificate(chain, path).not_valid_after_utc, ca_path)


def _write(issued: Issued, path: Path, key_path: Path) -> None:
    replace_file(key_path, issued.private_key(), mode=0o600)
    replace_file(path, issued.chain(), mode=0o644)


def _is_current(path: Path, key_path: Path, ca: x509.Certificate, hosts: list[x509.GeneralName]) -> bool:
    if not path.exists() or not key_path.exists():
        return False
    try:
        certificate = _read_certificate(path)
        certificate.verify_directly_issued_by(ca)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        matches = certificate.public_key() == _read_key(key_path).public_key()
    except Exception:  # anything odd about what we made ourselves: make it again
        return False
    enough = certificate.not_valid_after_utc - datetime.now(UTC) > _RENEW_BEFORE
    return matches and enough and list(names) == hosts


def _general_name(host: str) -> x509.GeneralName:
    try:
        return host_name(host)
    except InvalidName as error:
        raise BadCertificate(f"--tls-host {error.message}") from None


@contextmanager
def _pipe_of(data: bytes) -> Iterator[str]:
    reader, writer = os.pipe()
    try:
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, max(len(data), mmap.PAGESIZE))
        os.set_blocking(writer, False)
        os.write(writer, data)
        os.close(writer)
        writer = -1
        yield f"/proc/self/fd/{reader}"
    finally:
        os.close(reader)
        if writer >= 0:
            os.close(writer)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadCertificate(f"{path}: cannot be read: {error.strerror}") from None


def _read_certificate(path: Path) -> x509.Certificate:
    return _parse_certificate(_read(path), path)


def _parse_certificate(data: bytes, path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(data)
    except ValueError:
        raise BadCertificate(f"{path}: not a PEM certificate") from None


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise BadCertificate(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        raise BadCertificate(f"{path}: not an unencrypted PEM private key") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadCertificate(f"{path}: not an ECDSA key")
    return key


def _refuse_odd_key(key: object, path: Path) -> None:
    """The TLS library of the server takes these kinds of keys, and fails late on others."""
    if isinstance(key, rsa.RSAPublicKey) and 2048 <= key.key_size <= 4096:
        return
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
        return
    if not isinstance(key, ed25519.Ed25519PublicKey):
        hint = "use ECDSA P-256 or P-384, Ed25519, or RSA of 2048 to 4096 bits"
        raise BadCertificate(f"{path}: a kind of key that is not served", hint=hint)


def _refuse_expired(certificate: x509.Certificate, path: Path) -> None:
    now = datetime.now(UTC)
    if certificate.not_valid_after_utc <= now:
        day = certificate.not_valid_after_utc.date().isoformat()
        raise BadCertificate(f"{path}: the certificate expired on {day}", hint="renew it")
    if certificate.not_valid_before_utc > now:
        day = certificate.not_valid_before_utc.date().isoformat()
        raise BadCertificate(f"{path}: the certificate is valid only from {day}", hint="check the clock")
