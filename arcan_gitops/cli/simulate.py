"""`arcan simulate`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from arcan_gitops.cli.address import ADDRESS
from arcan_gitops.cli.options import format_option
from arcan_gitops.errors import ArcanError
from arcan_gitops.eso.files import manifest_files, read_file, read_manifests
from arcan_gitops.eso.https import NetTransport
from arcan_gitops.eso.manifests import read_cluster
from arcan_gitops.eso.report import FORMATS
from arcan_gitops.eso.simulation import simulate as run
from arcan_gitops.eso.stand_ins import read_token, with_ca, with_token, with_tokens


class _TokenFile(click.ParamType):  # type: ignore[type-arg]  # no generic in click 8.1
    name = "STORE=FILE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path]:
        store, sign, file = str(value).partition("=")
        if not store or not sign or not file:
            self.fail("must be STORE=FILE: the name of a store, and the file with its token", param, ctx)
        return store, Path(file)


@click.command()
@click.option(
    "-f",
    "--filename",
    "filenames",
    metavar="PATH",
    type=click.Path(path_type=Path, allow_dash=True),
    multiple=True,
    required=True,
    help="A manifest file, a folder of them, or - for standard input; repeatable.",
)
@click.option(
    "-n",
    "--namespace",
    default="default",
    show_default=True,
    help="Namespace of the objects that name none, as for kubectl apply.",
)
@click.option(
    "--token",
    "token_files",
    metavar="STORE=FILE",
    type=_TokenFile(),
    multiple=True,
    help="The token of one store (NAME or NAMESPACE/NAME), from a file: the token, or a Secret's manifest; "
    "repeatable.",
)
@click.option(
    "--token-stdin",
    is_flag=True,
    help="Read the token from standard input (else from ARCAN_TOKEN, if set).",
)
@click.option(
    "--ca-file",
    type=click.Path(path_type=Path),
    envvar="ARCAN_CA_FILE",
    show_envvar=True,
    help="The server's CA certificate, if the caProvider is not among the manifests.",
)
@click.option(
    "--connect-to",
    type=ADDRESS,
    metavar="HOST:PORT",
    envvar="ARCAN_CONNECT_TO",
    show_envvar=True,
    help="Connect there, whatever host a store names; TLS still verifies the store's host.",
)
@click.option("--reveal", is_flag=True, help="Show the values.")
@format_option(FORMATS, help="A report for people, or JSON.")
def simulate(
    filenames: tuple[Path, ...],
    namespace: str,
    token_files: tuple[tuple[str, Path], ...],
    token_stdin: bool,
    ca_file: Path | None,
    connect_to: tuple[str, int] | None,
    reveal: bool,
    style: str,
) -> None:
    """Run manifests through an emulator of ESO against a live server.

    Takes SecretStores, ClusterSecretStores, ExternalSecrets, and the Secrets, ConfigMaps and Namespaces
    that they refer to; prints each store's and each ExternalSecret's condition, ESO's event, its likely
    cause, and the Kubernetes Secret that ESO would write, values masked. The token stands for each
    credential Secret that is not among the manifests; --token gives a store one of its own. Exits 1
    unless every ExternalSecret would be synced.
    """
    from_stdin = any(str(path) == "-" for path in filenames)
    if token_stdin and from_stdin:
        raise click.UsageError("standard input can be the token or the manifests, not both")
    cluster = read_cluster(read_manifests(_sources(filenames)), namespace=namespace)
    if not cluster.external_secrets:
        raise ArcanError(
            "there is no ExternalSecret in these manifests",
            hint="arcan generate eso ... | arcan simulate -f -",
        )
    tokens = [(store, read_token(read_file(file), str(file))) for store, file in token_files]
    cluster = with_tokens(cluster, tokens)
    token = _token(token_stdin)
    if token is not None:
        cluster = with_token(cluster, token)
    if ca_file is not None:
        cluster = with_ca(cluster, read_file(ca_file).decode("utf-8", "replace"))
    simulation = run(cluster, NetTransport(connect_to=connect_to))
    click.echo(FORMATS[style](simulation, reveal=reveal), nl=False)
    if not simulation.passed:
        raise click.exceptions.Exit(1)


def _sources(filenames: tuple[Path, ...]) -> Iterator[tuple[str, bytes]]:
    for path in filenames:
        if str(path) == "-":
            yield "standard input", sys.stdin.buffer.read()
        else:
            for file in manifest_files(path):
                yield str(file), read_file(file)


def _token(from_stdin: bool) -> str | None:
    given = (
        sys.stdin.buffer.read().decode("utf-8", "replace") if from_stdin else os.environ.get("ARCAN_TOKEN")
    )
    token = (given or "").strip()
    if from_stdin and not token:
        raise ArcanError(
            "there is no token on standard input",
            hint="give the file that holds it: arcan simulate --token-stdin ... < FILE",
        )
    return token or None
