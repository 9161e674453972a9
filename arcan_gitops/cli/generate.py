"""`arcan generate`: the manifests that ESO consumes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from arcan_gitops.cli.catalogue import keys_of, load_catalogue
from arcan_gitops.cli.options import realms_option
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KeyName, Namespace, ObjectName, RealmName, did_you_mean
from arcan_gitops.overlay import (
    Consumer,
    StoreSettings,
    build_overlays,
    diff_overlays,
    quickstart,
    read_apps,
    read_settings,
    write_overlays,
)
from arcan_gitops.overlay.ca import DEFAULT_CA, ConfigMapCa, PublicCa, read_ca
from arcan_gitops.overlay.server_url import ServerUrl
from arcan_gitops.realms import DocumentFile
from arcan_gitops.realms.tree import DOCUMENT_SUFFIX
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE
from arcan_gitops.yamlio import emit

_kustomize_option = click.option(
    "--kustomize-dir",
    type=click.Path(path_type=Path),
    default=Path("kustomize"),
    show_default=True,
    help="Folder of arcan.yaml and apps/.",
)


@click.group()
def generate() -> None:
    """Generate the manifests that ESO consumes."""


@generate.command()
@click.option("--realm", type=Parsed("name", RealmName.parse), required=True, help="The realm to read.")
@click.option(
    "--env",
    "environment",
    type=Parsed("name", EnvironmentName.parse),
    required=True,
    help="The environment to read.",
)
@click.option(
    "--namespace",
    type=Parsed("namespace", Namespace.parse),
    default=Namespace("default"),
    show_default=True,
    help="Where the Kubernetes Secrets will be.",
)
@click.option("--cluster-wide", is_flag=True, help="ClusterSecretStores in place of SecretStores.")
@click.option(
    "--allow-namespace",
    "allowed",
    type=Parsed("namespace", Namespace.parse),
    multiple=True,
    help="A namespace that may use the cluster-wide stores; repeat.  [default: all]",
)
@click.option(
    "--key",
    "keys",
    type=Parsed("key", KeyName.parse),
    multiple=True,
    help="A key to read; repeat.  [default: those of the realm's document]",
)
@click.option(
    "--name",
    type=Parsed("name", ObjectName.parse),
    default=ObjectName("my-app-secrets"),
    show_default=True,
    help="Name of the Kubernetes Secret.",
)
@click.option(
    "--server-url",
    type=Parsed("url", ServerUrl.parse),
    envvar="ARCAN_SERVER_URL",
    show_envvar=True,
    help="Where ESO reaches the server.  [default: as in arcan.yaml, else https://arcan.internal:9797]",
)
@click.option(
    "--ca-configmap",
    type=Parsed("name", ObjectName.parse),
    help="ConfigMap with the server's CA, key ca.crt.  [default: as in arcan.yaml, else arcan-ca]",
)
@click.option("--ca-bundle", type=click.Path(path_type=Path), help="PEM file of the server's CA, to embed.")
@click.option("--public-ca", is_flag=True, help="The server's certificate is publicly trusted.")
@click.option(
    "--eso-namespace",
    type=Parsed("namespace", Namespace.parse),
    help="Where the token Secret and the CA of cluster-wide stores are.  "
    "[default: as in arcan.yaml, else external-secrets]",
)
@realms_option
@_kustomize_option
def eso(
    realm: RealmName,
    environment: EnvironmentName,
    namespace: Namespace,
    cluster_wide: bool,
    allowed: tuple[Namespace, ...],
    keys: tuple[KeyName, ...],
    name: ObjectName,
    server_url: ServerUrl | None,
    ca_configmap: ObjectName | None,
    ca_bundle: Path | None,
    public_ca: bool,
    eso_namespace: Namespace | None,
    realms: Path,
    kustomize_dir: Path,
) -> None:
    """Print manifests for one consumer, for `kubectl apply -f -`.

    A store with an ExternalSecret that lists the keys, and a store with an ExternalSecret that takes all of
    the environment. The keys come from the document of the realm; no identity is needed. What no option
    sets is as in arcan.yaml, but for the scope: the stores are namespaced without --cluster-wide.
    """
    if allowed and not cluster_wide:
        raise click.UsageError("--allow-namespace goes with --cluster-wide only")
    if (ca_configmap is not None) + (ca_bundle is not None) + public_ca > 1:
        raise click.UsageError("--ca-configmap, --ca-bundle and --public-ca exclude each other")
    settings = read_settings(kustomize_dir).defaults
    if server_url is not None:
        settings = replace(settings, server_url=server_url)
    if eso_namespace is not None:
        settings = replace(settings, eso_namespace=eso_namespace)
    users = tuple(sorted(set(allowed))) if cluster_wide else None
    consumer = Consumer(realm, environment, namespace, name, _keys(realms, realm, environment, keys), users)
    settings = _with_ca(settings, ca_configmap, ca_bundle, public_ca)
    manifests = quickstart(consumer, settings)
    if users == ():
        _warn(
            "every namespace of the cluster may use these stores; name those that should: --allow-namespace"
        )
    elif users is not None and namespace not in users:
        _warn(f"namespace '{namespace}' may not use these stores: add --allow-namespace {namespace}")
    click.echo(emit(manifests), nl=False)
    token_namespace = settings.eso_namespace if cluster_wide else namespace
    secret = f"{settings.token_secret.name}, key {settings.token_secret.key}, label {SECRET_LABEL_NAME}"
    _note(f"the stores read Secret {secret}={SECRET_LABEL_VALUE} in namespace {token_namespace}")
    if isinstance(settings.ca, ConfigMapCa):
        _note(f"and ConfigMap {settings.ca.name}, key {settings.ca.key}, there")


def _with_ca(
    settings: StoreSettings, config_map: ObjectName | None, bundle: Path | None, public: bool
) -> StoreSettings:
    if bundle is not None:
        return replace(settings, ca=read_ca(bundle))
    if public:
        return replace(settings, ca=PublicCa())
    if config_map is not None:
        return replace(settings, ca=ConfigMapCa(config_map, DEFAULT_CA.key))
    return settings


def _keys(
    realms: Path, realm: RealmName, environment: EnvironmentName, asked: tuple[KeyName, ...]
) -> tuple[KeyName, ...]:
    """The keys asked for, else those of the document."""
    wanted = tuple(dict.fromkeys(asked))
    path = realms / realm / f"{environment}{DOCUMENT_SUFFIX}"
    if not path.exists():
        if wanted:
            _warn(f"there is no {path}: whether the keys exist is not known")
            return wanted
        raise ArcanError(
            f"which keys? there is no {path} to take their names from, and no --key",
            hint="name each key with --key, or give the folder of the realms with --realms",
        )
    known = keys_of(DocumentFile(realm, environment, path))
    for key in wanted:
        if key not in known:
            _warn(f"key '{key}' is not in {path}: {did_you_mean(key, known)}")
    return wanted or known


def _note(text: str) -> None:
    click.echo(f"arcan: {text}", err=True)


def _warn(text: str) -> None:
    click.echo(f"arcan: warning: {text}", err=True)


@generate.command()
@click.option(
    "--check", is_flag=True, help="Write nothing; print the difference, and exit 1 if there is one."
)
@realms_option
@_kustomize_option
@click.pass_context
def overlays(ctx: click.Context, check: bool, realms: Path, kustomize_dir: Path) -> None:
    """Write the overlays of the declared apps.

    Reads arcan.yaml and apps/*.yaml and writes overlays/<overlay>/, in the same folder. Every key, token and
    namespace is checked against the realm files first; no identity is needed. Files that were not generated
    are never touched.
    """
    settings, apps = read_settings(kustomize_dir), read_apps(kustomize_dir)
    tree = build_overlays(apps, settings, load_catalogue(realms))
    root = kustomize_dir / "overlays"
    if check:
        difference = diff_overlays(root, tree)
        click.echo(difference, nl=False)
        if difference:
            click.echo(f"arcan: {root} is not what the declared apps ask for", err=True)
            click.echo("arcan: hint: run `arcan generate overlays` and commit the result", err=True)
            ctx.exit(1)
        click.echo(f"arcan: {root}: {len(tree)} files are up to date", err=True)
        return
    changes = write_overlays(root, tree)
    for path in changes.written:
        click.echo(f"arcan: wrote {root / path}", err=True)
    for path in changes.removed:
        click.echo(f"arcan: removed {root / path}", err=True)
    click.echo(f"arcan: {root}: {len(changes.unchanged)} of {len(tree)} files were up to date", err=True)
