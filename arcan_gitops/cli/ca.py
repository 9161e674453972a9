"""`arcan ca`: the CA of a server that runs, so that stores trust the right certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from arcan_gitops.atomic import replace_file
from arcan_gitops.cli.address import ADDRESS
from arcan_gitops.cli.output import say, warn
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.doctor.chain import authority_of, fingerprint, title
from arcan_gitops.doctor.dialling import Reached, Step, reach
from arcan_gitops.errors import ArcanError, quoted
from arcan_gitops.golang import url as go_url
from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.url import Url
from arcan_gitops.names import InvalidName

_COMPARE: Final = "openssl x509 -in /var/lib/arcan/tls/ca.crt -noout -fingerprint -sha256"


def _https(text: str) -> Url:
    try:
        url = go_url.parse(text)
    except GoError:
        url = None
    if url is None or url.scheme != "https" or not url.host:
        raise InvalidName(
            f"{text[:80]!r} is no address of a server", hint="as in https://arcan.internal:9797"
        )
    return url


def _fingerprint(text: str) -> str:
    digits = text.removeprefix("sha256:").replace(":", "").upper()
    if len(digits) != 64 or not set(digits) <= set("0123456789ABCDEF"):
        raise InvalidName(
            f"{text[:80]!r} is no SHA-256 fingerprint",
            hint="64 of 0-9 and a-f, as 'openssl x509 -in ca.crt -noout -fingerprint -sha256' prints it",
        )
    return ":".join(digits[i : i + 2] for i in range(0, 64, 2))


@click.group()
def ca() -> None:
    """Get the CA of a server that runs."""


@ca.command()
@click.argument("url", type=Parsed("url", _https))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the CA to this file.  [default: standard output]",
)
@click.option(
    "--fingerprint",
    "wanted",
    metavar="SHA256",
    type=Parsed("fingerprint", _fingerprint),
    help="Take the CA only if this is its fingerprint.",
)
@click.option("--connect-to", type=ADDRESS, help="Connect here, whatever host the URL names.")
def fetch(url: Url, output: Path | None, wanted: str | None, connect_to: tuple[str, int] | None) -> None:
    """Take the CA that has signed a server's certificate, and not the server's own certificate.

    Whoever is between here and the server could show another CA: compare the fingerprint that is printed
    with that of the file in the server's data directory, or give it by --fingerprint.

    \b
      openssl x509 -in /var/lib/arcan/tls/ca.crt -noout -fingerprint -sha256
      arcan ca fetch https://arcan.internal:9797 --output arcan-ca.crt
    """
    reached = reach(url.host, url.dial_port, connect_to)
    authority = _authority(url, reached)
    found = fingerprint(authority)
    if wanted is not None and wanted != found:
        raise ArcanError(
            f"{url.host}: its CA {title(authority)} has the fingerprint {found}, not the one that was given",
            hint="nothing was written. Somebody may be in between, or the CA was made anew: ask the server's "
            f"machine: {_COMPARE}",
        )
    if reached.is_public:
        warn("a store needs no CA for this server, whose certificate every system trusts: ca: {public: true}")
    pem = authority.public_bytes(Encoding.PEM)
    if output is None:
        click.echo(pem, nl=False)
    else:
        _write(output, pem)
    ends = authority.not_valid_after_utc.date().isoformat()
    say(f"CA {title(authority)} of {url.host}, valid until {ends}; SHA-256 fingerprint:")
    say(found)
    if wanted is None:
        say(f"compare it, before anything trusts it, with what the server's machine says: {_COMPARE}")


def _authority(url: Url, reached: Reached) -> x509.Certificate:
    where = f"{url.host}:{url.dial_port}"
    if reached.step is not Step.DONE:
        raise ArcanError(
            f"{where}: {reached.problem}",
            hint="from outside its cluster: kubectl port-forward -n arcan service/arcan 9797 & then "
            f"arcan ca fetch {quoted(url.text)} --connect-to 127.0.0.1:9797",
        )
    authority = authority_of(reached.shown)
    if authority is None:
        raise ArcanError(
            f"{where}: shows its own certificate alone, and no CA",
            hint="take the CA from where the certificate was made; 'arcan serve' keeps its own in "
            "/var/lib/arcan/tls/ca.crt",
        )
    return authority


def _write(output: Path, pem: bytes) -> None:
    """What says the same stays; what says something else is somebody's trust, and is not replaced."""
    try:
        there: bytes | None = output.read_bytes()
    except FileNotFoundError:
        there = None
    except OSError as error:
        raise ArcanError(f"{output}: cannot be read: {error.strerror}") from None
    if there is not None and there != pem:
        raise ArcanError(
            f"{output}: is there, and holds something else",
            hint="write to another file, and compare them: --output new-ca.crt",
        )
    replace_file(output, pem)
