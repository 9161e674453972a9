"""Durations, server URLs and CA files: what is taken, and why the rest is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from arcan_gitops.names import InvalidName
from arcan_gitops.overlay.ca import BadCertificateAuthority, read_ca
from arcan_gitops.overlay.duration import Duration
from arcan_gitops.overlay.server_url import ServerUrl


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1h", "1h0m0s"),
        ("90m", "1h30m0s"),
        ("1h30m", "1h30m0s"),
        ("60s", "1m0s"),
        ("1d", "24h0m0s"),
        ("1d2h3m4s", "26h3m4s"),
        ("45s", "45s"),
        ("0h15m0s", "15m0s"),
        ("26h", "26h0m0s"),
        ("2562046h", "2562046h0m0s"),
    ],
)
def test_a_duration_is_written_as_go_writes_it(text: str, canonical: str):
    assert Duration.parse(text) == canonical


@given(st.integers(1, 10_000_000))
def test_a_canonical_duration_is_its_own_canonical_form(seconds: int):
    once = Duration.parse(f"{seconds}s")
    assert Duration.parse(once) == once


@pytest.mark.parametrize(
    "text",
    ["", "1w", "1", "h", "-1h", "1.5h", "1h 30m", "30m1h", "0", "0s", "2562048h", "1h\n", "\u0661h", "1e3s"],
)
def test_what_is_no_duration_is_refused(text: str):
    with pytest.raises(InvalidName) as error:
        Duration.parse(text)
    assert error.value.hint is not None
    assert "1h30m" in error.value.hint


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://arcan.internal:9797", "https://arcan.internal:9797"),
        ("https://arcan.internal:9797/", "https://arcan.internal:9797"),
        ("https://10.0.0.7:443/arcan/", "https://10.0.0.7:443/arcan"),
        ("https://[fd00::1]:9797", "https://[fd00::1]:9797"),
    ],
)
def test_a_server_url_has_a_literal_host_and_port(text: str, url: str):
    assert ServerUrl.parse(text) == url


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("http://arcan.internal:9797", "https://"),
        ("arcan.internal:9797", "https://"),
        ("https://arcan.internal", "must name the port"),
        ("https://arcan.internal:", "must name the port"),
        ("https://arcan.internal:0", "must name the port"),
        ("https://[fd00::1]", "must name the port"),
        ("https://arcan.internal:99999", "no valid host and port"),
        ("https://arcan.internal:https", "no valid host and port"),
        ("https://:9797", "no valid host"),
        ("https://arcan..internal:9797", "no valid host"),
        ("https://{{ .auth.host }}:9797", "must be literal"),
        ("https://arcan.internal:9797/{{ .remoteRef.key }}", "must be literal"),
        ("https://user:hunter2@arcan.internal:9797", "user or password"),
        ("https://arcan.internal:9797?env=prod", "query"),
        ("https://arcan.internal:9797/#x", "fragment"),
        ("https://arcan.internal:9797/a%2Fb", "path"),
        ("https://arcan.internal:9797/../x", "path"),
        ("https://arcan internal:9797", "space"),
        ("https://ärcan.internal:9797", "ASCII"),
        ("", "https://"),
    ],
)
def test_a_server_url_that_a_store_cannot_use_is_refused_with_the_reason(text: str, problem: str):
    with pytest.raises(InvalidName) as error:
        ServerUrl.parse(text)
    assert problem in error.value.message
    assert "hunter2" not in f"{error.value.message}{error.value.hint}"


def certificate(*, ca: bool | None, days: int = 30, private: bool = False) -> bytes:
    """PEM of a self-signed certificate; `ca` None leaves basicConstraints out."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    end = datetime.now(UTC) + timedelta(days=days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=365))
        .not_valid_after(end)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    if private:
        pem += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


def test_a_ca_is_embedded_without_what_stands_around_it(tmp_path: Path):
    one, two = certificate(ca=True), certificate(ca=True)
    (tmp_path / "ca.crt").write_bytes(b"issued by the platform team\n" + one + b"\n" + two)
    assert read_ca(tmp_path / "ca.crt").pem == one + two


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (certificate(ca=False), "not a CA"),
        (certificate(ca=None), "not a CA"),
        (certificate(ca=True) + certificate(ca=False), "certificate 2 is not a CA"),
        (certificate(ca=True, days=-1), "expired on"),
        (certificate(ca=True, private=True), "private key"),
        (b"not PEM", "no readable PEM certificate"),
        (b"", "no readable PEM certificate"),
    ],
)
def test_a_file_that_is_no_ca_is_refused_and_the_way_to_one_told(
    tmp_path: Path, content: bytes, problem: str
):
    (tmp_path / "ca.crt").write_bytes(content)
    with pytest.raises(BadCertificateAuthority) as error:
        read_ca(tmp_path / "ca.crt")
    assert error.value.message.startswith(f"{tmp_path}/ca.crt: ")
    assert problem in error.value.message
    assert "tls/ca.crt" in (error.value.hint or "")


def test_a_ca_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(BadCertificateAuthority, match=r"ca\.crt: cannot be read"):
        read_ca(tmp_path / "ca.crt")
