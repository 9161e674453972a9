"""`arcan ca fetch`: the CA of a live server, and never the server's own certificate."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.cli import arcan
from arcan_gitops.errors import ArcanError
from tests.eso.endpoint import Endpoint, free_port, make_authority, serving
from tests.support.tls_server import TestAuthority, redirecting


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TestAuthority:
    return TestAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def address(authority: TestAuthority) -> Iterator[str]:
    """Of a server that shows its certificate and the CA above it, as `arcan serve` does."""
    with redirecting("") as server:
        yield authority.wrap(server)


def fetch(*arguments: object) -> Result:
    return CliRunner().invoke(arcan, ["ca", "fetch", *map(str, arguments)])


def refused(*arguments: object) -> ArcanError:
    result = fetch(*arguments)
    assert isinstance(result.exception, ArcanError), result.output
    return result.exception


def openssl(file: Path) -> str:
    """The fingerprint as the command says it that people are told to compare with."""
    command = ["openssl", "x509", "-in", str(file), "-noout", "-fingerprint", "-sha256"]
    return (
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.partition("=")[2].strip()
    )


def test_the_ca_is_written_and_its_fingerprint_is_that_of_openssl(
    authority: TestAuthority, address: str, tmp_path: Path
) -> None:
    result = fetch(address, "--output", tmp_path / "ca.crt")
    assert result.exit_code == 0, result.exception
    assert (tmp_path / "ca.crt").read_bytes() == authority.ca.read_bytes()
    assert openssl(authority.ca) in result.stderr
    assert "compare it" in result.stderr


def test_without_a_file_it_is_printed_alone(authority: TestAuthority, address: str) -> None:
    assert fetch(address).stdout == authority.ca.read_text()


@pytest.mark.parametrize("form", ["{}", "sha256:{}"])
def test_with_the_right_fingerprint_nothing_is_left_to_compare(
    form: str, authority: TestAuthority, address: str
) -> None:
    result = fetch(address, "--fingerprint", form.format(openssl(authority.ca)))
    assert result.exit_code == 0, result.exception
    assert "compare" not in result.stderr


def test_with_another_fingerprint_nothing_is_written(address: str, tmp_path: Path) -> None:
    error = refused(address, "--fingerprint", "ab" * 32, "--output", tmp_path / "ca.crt")
    assert "not the one that was given" in error.message
    assert not (tmp_path / "ca.crt").exists()


def test_what_somebody_trusts_already_is_never_replaced(address: str, tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    assert fetch(address, "--output", file).exit_code == 0
    assert fetch(address, "--output", file).exit_code == 0
    file.write_text("another")
    assert "holds something else" in refused(address, "--output", file).message
    assert file.read_text() == "another"


def test_a_server_that_shows_its_own_certificate_alone_gives_none(tmp_path: Path) -> None:
    with serving(make_authority(tmp_path)) as endpoint:
        error = refused("https://arcan.internal:9797", "--connect-to", f"127.0.0.1:{endpoint.port}")
    assert error.message == "arcan.internal:9797: shows its own certificate alone, and no CA"


def test_each_step_that_fails_is_told_apart() -> None:
    assert "does not resolve" in refused("https://nowhere.invalid:9797").message
    assert "connection refused" in refused(f"https://127.0.0.1:{free_port()}").message
    plain: Endpoint
    with serving(None) as plain:
        assert "does not speak TLS" in refused(f"https://127.0.0.1:{plain.port}").message


@pytest.mark.parametrize("url", ["arcan.internal:9797", "http://arcan.internal", "https://", "https://%zz"])
def test_only_an_https_url_is_an_address(url: str) -> None:
    assert fetch(url).exit_code == 2


@pytest.mark.parametrize("text", ["", "abc", "g" * 64, "ab" * 33])
def test_a_fingerprint_is_64_digits(text: str) -> None:
    assert fetch("https://127.0.0.1:1", "--fingerprint", text).exit_code == 2
