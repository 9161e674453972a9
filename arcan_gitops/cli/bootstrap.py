"""`arcan bootstrap`: what a cluster needs and Git must not hold."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from arcan_gitops.bootstrap import certificate_manifests, requirements
from arcan_gitops.bootstrap.outputs import OUTPUTS
from arcan_gitops.certificates import host_name, issue, new_ca
from arcan_gitops.cli.options import format_option, kustomize_option, realms_option
from arcan_gitops.cli.output import say
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.private_files import warn_of_readers
from arcan_gitops.cli.project import OVERLAY, catalogue_for, context_option, find_overlay, servers_of
from arcan_gitops.deploy.names import server_hosts
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import OverlayName
from arcan_gitops.overlay import read_apps, read_settings
from arcan_gitops.realms.tree import read_file
from arcan_gitops.yamlio import emit


class _WithDefault(click.Group):
    """`arcan bootstrap prod` is `arcan bootstrap overlay prod`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["overlay", *args]
        return super().parse_args(ctx, args)


def _host(text: str) -> str:
    host_name(text)
    return text


@click.group(cls=_WithDefault)
def bootstrap() -> None:
    """Print what a cluster needs and Git must not hold.

    `arcan bootstrap [NAME]` is `arcan bootstrap overlay [NAME]`.
    """


@bootstrap.command()
@click.argument("name", required=False, type=OVERLAY)
@format_option(
    OUTPUTS,
    default="commands",
    help="A bash script of kubectl commands; manifests with REPLACE_ME; or Terraform with variables.",
)
@context_option
@realms_option
@kustomize_option
def overlay(
    name: OverlayName | None, style: str, context: str | None, realms: Path, kustomize_dir: Path
) -> None:
    """Print how to make the Secrets and CAs of an overlay.

    Its server's age identity and certificate, a token for each store of its apps, with the label that ESO
    asks for, the Secrets that other stores name, and the CAs. NAME may be left out where there is one
    overlay. No value is printed; the script takes each from a file below the folder VALUES, or asks for it,
    and makes the tokens that no realm has recorded yet:

    \b
      arcan bootstrap prod > bootstrap-prod.sh
      VALUES=/dev/shm/values bash bootstrap-prod.sh
    """
    settings, apps = read_settings(kustomize_dir), read_apps(kustomize_dir)
    catalogue = catalogue_for(realms, kustomize_dir, apps, settings)
    overlays = settings.overlays(catalogue.environments())
    chosen = find_overlay(overlays, name)
    server = next(iter(servers_of(kustomize_dir, [chosen])), None)
    needed = requirements(apps, chosen, catalogue, server, overlays)
    click.echo(OUTPUTS[style](needed, context), nl=False)


@bootstrap.command()
@click.option(
    "--host",
    "hosts",
    type=Parsed("host", _host),
    multiple=True,
    help="Name or address for the certificate; repeatable.  [default: the Service's, and as in arcan.yaml]",
)
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep CA and certificate here: what is there is used again, or renewed.",
)
@format_option(
    ("files", "secret"),
    default="files",
    help="The files alone, or also Secret arcan-tls and ConfigMap arcan-ca, on standard output.",
)
@click.option("--reveal", is_flag=True, help="Print the Secret to a terminal too.")
@kustomize_option
def ca(
    hosts: tuple[str, ...], output_dir: Path | None, style: str, reveal: bool, kustomize_dir: Path
) -> None:
    """Make a CA, and one certificate for all replicas of a server.

    The CA lives ten years, the certificate 825 days. Keep the folder of --output-dir, encrypted, where no
    cluster reaches it: run there again, in the last 90 days, the same command renews the certificate under
    the CA that the stores trust. Without it the CA's key is kept nowhere, and a renewal is a new CA.

    \b
      arcan bootstrap ca --output-dir=tls --format=secret | kubectl apply --server-side -f -
      kubectl rollout restart deployment/arcan --namespace=arcan
    """
    if style == "files" and output_dir is None:
        raise click.UsageError("where to? give --output-dir, or --format secret")
    if style == "secret" and sys.stdout.isatty() and not reveal:
        raise ArcanError(
            "standard output is a terminal, and the private key would be shown",
            hint="pipe it: ... | kubectl apply --server-side -f -; or say --reveal",
        )
    settings = read_settings(kustomize_dir)
    urls = [settings.defaults.server_url, *(each.settings.server_url for each in settings.declared)]
    chain, key, authority = _pems(output_dir, hosts or server_hosts(*urls))
    if style == "secret":
        click.echo(emit(certificate_manifests(chain, key, authority)), nl=False)


def _pems(folder: Path | None, hosts: tuple[str, ...]) -> tuple[bytes, bytes, bytes]:
    """The certificate's chain, its key, and the CA."""
    if folder is None:
        made = new_ca()
        issued = issue(made.certificate, made.key, hosts)
        return issued.chain(), issued.private_key(), made.chain()
    from arcan_gitops.server import tls  # slow to import, and the same files as a server's own

    certificate = tls.own(folder, hosts)
    assert certificate.ca is not None  # one of our own has a CA of our own
    for path in (folder / "ca.key", folder / "server.key"):
        warn_of_readers(path)
    expires = certificate.expires.date().isoformat()
    say(f"{folder}: the certificate for {', '.join(hosts)} ends on {expires}")
    say(f"no namespace needs a ConfigMap of its CA once {folder / 'ca.crt'} is committed as kustomize/ca.crt")
    return certificate.chain, certificate.key, read_file(certificate.ca)
