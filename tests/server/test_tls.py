"""The certificates: made once, reused, renewed when they must be, and checked when they are brought."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from arcan_gitops.server import tls

HOSTS = ("arcan.internal", "127.0.0.1", "::1")


def test_a_ca_and_a_certificate_are_made_once_and_reused(tmp_path: Path) -> None:
    first = tls.own(tmp_path / "tls", HOSTS)
    content = {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()}
    assert set(content) == {"ca.crt", "ca.key", "server.crt", "server.key"}
    assert tls.own(tmp_path / "tls", HOSTS) == first
    assert {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()} == content
    assert [(tmp_path / "tls" / name).stat().st_mode & 0o777 for name in ("ca.key", "server.key")] == [
        0o600
    ] * 2
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700
    leaf = x509.load_pem_x509_certificate(content["server.crt"])
    assert isinstance(leaf.public_key(), ec.EllipticCurvePublicKey)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["arcan.internal"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def test_other_hosts_get_a_new_certificate_under_the_same_ca(tmp_path: Path) -> None:
    tls.own(tmp_path, HOSTS)
    ca, before = (tmp_path / "ca.crt").read_bytes(), (tmp_path / "server.crt").read_bytes()
    tls.own(tmp_path, ("elsewhere.internal",))
    assert (tmp_path / "ca.crt").read_bytes() == ca
    assert (tmp_path / "server.crt").read_bytes() != before


def test_a_lost_key_is_mended_and_a_lost_ca_is_an_error(tmp_path: Path) -> None:
    tls.own(tmp_path, HOSTS)
    (tmp_path / "server.key").unlink()
    certificate = tls.own(tmp_path, HOSTS)
    tls.server_context(certificate)
    (tmp_path / "ca.key").unlink()
    with pytest.raises(tls.BadCertificate, match=r"one of ca\.crt and ca\.key"):
        tls.own(tmp_path, HOSTS)


def brought(folder: Path, *, days: int, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> tuple[Path, Path]:
    key = ec.generate_private_key(curve())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    end = datetime.now(UTC) + timedelta(days=days)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(end - timedelta(days=1000))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    (folder / "x.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "x.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "x.crt", folder / "x.key"


def test_an_expired_certificate_is_refused_with_its_date(tmp_path: Path) -> None:
    with pytest.raises(tls.BadCertificate, match="the certificate expired on 20"):
        tls.given(*brought(tmp_path, days=-2))


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    cert, _ = brought(tmp_path, days=2)
    (tmp_path / "other").mkdir()
    _, key = brought(tmp_path / "other", days=2)
    with pytest.raises(tls.BadCertificate, match="is not the unencrypted private key"):
        tls.given(cert, key)
    assert tls.given(*brought(tmp_path, days=2)).ca is None


@pytest.mark.parametrize("host", ["", "a b", "grüß.example"])
def test_a_host_that_is_none_is_named(tmp_path: Path, host: str) -> None:
    with pytest.raises(tls.BadCertificate, match="--tls-host"):
        tls.own(tmp_path, (host,))


def test_a_kind_of_key_that_the_server_could_not_serve_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(tls.BadCertificate, match="a kind of key that is not served"):
        tls.given(*brought(tmp_path, days=2, curve=ec.SECP521R1))
    tls.given(*brought(tmp_path, days=2, curve=ec.SECP384R1))


def test_half_a_ca_says_what_to_do(tmp_path: Path) -> None:
    tls.own(tmp_path, HOSTS)
    (tmp_path / "ca.crt").unlink()
    with pytest.raises(tls.BadCertificate) as caught:
        tls.own(tmp_path, HOSTS)
    assert "delete the other for a new CA" in str(caught.value.hint)


def test_halves_of_two_cas_sign_nothing(tmp_path: Path) -> None:
    """As between two copies, when somebody puts another CA there."""
    tls.own(tmp_path / "old", HOSTS)
    tls.own(tmp_path / "new", HOSTS)
    served = (tmp_path / "old" / "server.crt").read_bytes()
    (tmp_path / "old" / "ca.crt").write_bytes((tmp_path / "new" / "ca.crt").read_bytes())
    with pytest.raises(tls.BadCertificate, match=r"ca\.key: is not the key of .*ca\.crt"):
        tls.own(tmp_path / "old", HOSTS)
    assert (tmp_path / "old" / "server.crt").read_bytes() == served
    (tmp_path / "old" / "ca.key").write_bytes((tmp_path / "new" / "ca.key").read_bytes())
    tls.own(tmp_path / "old", HOSTS)
