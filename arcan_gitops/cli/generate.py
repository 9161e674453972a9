"""`arcan generate`: the manifests that ESO consumes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from arcan_gitops.cli.catalogue import contents_of
from arcan_gitops.cli.committed import Place
from arcan_gitops.cli.eso_known import versions_in, warn_if_unknown, warn_of_unknown
from arcan_gitops.cli.generate_app import app, inventory
from arcan_gitops.cli.generate_argocd import argocd, print_leftovers
from arcan_gitops.cli.generate_codeowners import codeowners
from arcan_gitops.cli.generate_plan import plan_overlays
from arcan_gitops.cli.generated import check_option, check_or_write
from arcan_gitops.cli.options import clusters_option, kustomize_option, realms_option
from arcan_gitops.cli.output import say, warn, warn_lines
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.raw_entries import judge_raw
from arcan_gitops.cli.vanishing import base_option, declared_apps, refuse_vanishing
from arcan_gitops.deploy import find_refused, find_unreachable
from arcan_gitops.errors import SeveralErrors, grouped
from arcan_gitops.eso_version import EsoVersion, Release, supported_version
from arcan_gitops.lint.advisories import ARGO_CD, Advisory, advisories_for
from arcan_gitops.names import EnvironmentName, KeyName, Namespace, ObjectName, RealmName, did_you_mean
from arcan_gitops.overlay import (
    Consumer,
    Declared,
    Settings,
    StoreSettings,
    TokenScope,
    find_warnings,
    quickstart,
    read_settings,
)
from arcan_gitops.overlay.argocd.settings import ArgoCd
from arcan_gitops.overlay.build import APPS_FOLDER
from arcan_gitops.overlay.ca import DEFAULT_CA, ConfigMapCa, PublicCa, SecretCa, read_ca
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.needed_tokens import creating
from arcan_gitops.overlay.server_url import ServerUrl
from arcan_gitops.overlay.settings import Overlay
from arcan_gitops.realms import BadLayout, CannotRead, RealmTree
from arcan_gitops.realms.settings import settings_of
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE
from arcan_gitops.yamlio import InvalidFile, emit


@click.group()
def generate() -> None:
    """Generate the manifests that ESO consumes."""


generate.add_command(app)
generate.add_command(inventory)
generate.add_command(argocd)
generate.add_command(codeowners)


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
@click.option("--cluster-wide", is_flag=True, help="ClusterSecretStores instead of SecretStores.")
@click.option(
    "--allow-namespace",
    "allowed",
    type=Parsed("namespace", Namespace.parse),
    multiple=True,
    help="A namespace that may use the cluster-wide stores; repeatable.  [default: all]",
)
@click.option(
    "--key",
    "keys",
    type=Parsed("key", KeyName.parse),
    multiple=True,
    help="A key to read; repeatable.  [default: those of the realm's document]",
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
@click.option(
    "--eso-version",
    type=Parsed("version", supported_version),
    help="The ESO of the cluster.  [default: as in arcan.yaml, else the newest known]",
)
@realms_option
@kustomize_option
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
    eso_version: EsoVersion | None,
    realms: Path,
    kustomize_dir: Path,
) -> None:
    """Print manifests for one consumer, for `kubectl apply -f -`.

    A store with an ExternalSecret that lists the keys, and a store with an ExternalSecret that takes all of
    the environment. The keys come from the document of the realm; no identity is needed. Settings without an
    option come from arcan.yaml, except the scope: stores are namespaced unless --cluster-wide is given.
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
    if eso_version is not None:
        settings = replace(settings, eso_version=eso_version)
    users = tuple(sorted(set(allowed))) if cluster_wide else None
    asked = _keys(realms, realm, environment, keys)
    version = _bulk_version(realms, realm, environment)
    consumer = Consumer(realm, environment, namespace, name, asked, users, version)
    settings = _with_ca(settings, ca_configmap, ca_bundle, public_ca)
    manifests = quickstart(consumer, settings)
    warn_if_unknown(settings.eso_version)
    if users == ():
        warn("every namespace of the cluster may use these stores; name those that should: --allow-namespace")
    elif users is not None and namespace not in users:
        warn(f"namespace '{namespace}' may not use these stores: add --allow-namespace {namespace}")
    click.echo(emit(manifests), nl=False)
    token_namespace = settings.eso_namespace if cluster_wide else namespace
    say(f"the stores read {_credential(settings, token_namespace, realm, environment)}")
    if isinstance(settings.ca, ConfigMapCa):
        say(f"and ConfigMap {settings.ca.name}, key {settings.ca.key}, there")
    elif isinstance(settings.ca, SecretCa):
        place = (cluster_wide and settings.ca.namespace) or token_namespace
        say(f"and Secret {settings.ca.name}, key {settings.ca.key}, in namespace {place}")


def _credential(
    settings: StoreSettings, namespace: Namespace, realm: RealmName, environment: EnvironmentName
) -> str:
    """What they read the realm by, and what is left to do for it."""
    account = settings.credentials.account_in(namespace, None)
    if account is not None:
        command = creating(Credential(realm, account=account), TokenScope((environment,)), None)
        return f"by account {account}; what grants it that: {command}"
    secret = f"{settings.token_secret.name}, key {settings.token_secret.key}, label {SECRET_LABEL_NAME}"
    return f"Secret {secret}={SECRET_LABEL_VALUE} in namespace {namespace}"


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
    """The keys asked for, else those of the environment. Raises `BadLayout` and `CannotRead` without both."""
    wanted = tuple(dict.fromkeys(asked))
    try:
        found = RealmTree(realms).environment(realm, environment)
    except (BadLayout, CannotRead) as error:
        if wanted:
            near = f" ({error.hint})" if error.hint else ""
            warn(f"{error.message}, so whether the keys exist is not known{near}")
            return wanted
        error.hint = "; ".join(filter(None, (error.hint, "or name each key with --key")))
        raise
    known = tuple(contents_of(found.files).keys)
    for key in wanted:
        if key not in known:
            warn(f"key '{key}' is not in {found.path}: {did_you_mean(key, known)}")
    return wanted or known


def _bulk_version(realms: Path, realm: RealmName, environment: EnvironmentName) -> str | None:
    """The version of the environment where its realm answers no read of all keys without one."""
    tree = RealmTree(realms)
    try:
        found = tree.environment(realm, environment)
    except (BadLayout, CannotRead):
        return None  # whether the keys exist is not known either, and that was said
    return contents_of(found.files).version if settings_of(tree, realm).recorded else None


@generate.command()
@check_option
@base_option
@clusters_option
@realms_option
@kustomize_option
@click.pass_context
def overlays(
    ctx: click.Context, check: bool, base: str | None, clusters: Path, realms: Path, kustomize_dir: Path
) -> None:
    """Write the overlays of the declared apps.

    Reads arcan.yaml and apps/*.yaml and writes overlays/<overlay>/, in the same folder. Every key, token and
    namespace is checked against the realm files first; no identity is needed. Files that were not generated
    are never touched. An overlay whose settings have server.deploy takes in a server of its own: base/,
    components/, servers/<overlay>/, and a kustomization.yaml in the folder of each realm that it selects, and
    in that of the clusters, if there is one.
    What would go without a word (an app, a namespace, a Secret, an overlay) is an error: --base says against
    which commit, as in --check --base origin/main for a pull request; without it, against the last one.
    With a section argocd it also does what `arcan generate argocd` does, and where a realm has an inventory
    what `arcan generate inventory` does.
    """
    plan = plan_overlays(realms, kustomize_dir, clusters, *_declarations(kustomize_dir, base))
    settings, declared, apps, tree = plan.settings, plan.declared, plan.declared.apps, plan.tree
    places, servers = plan.places, plan.servers
    raw_warnings = judge_raw(tree, apps, places)
    warn_of_unknown(places)
    warnings = (
        *raw_warnings,
        *find_warnings(apps, places),
        *find_unreachable(apps, places, servers.servers),
        *find_refused(apps, servers.servers),
        *_vulnerable(places),
        *_vulnerable_argocd(settings.argocd),
    )
    for warning in grouped(warnings):
        warn_lines(warning)
    apps_folder = kustomize_dir / APPS_FOLDER
    refuse_vanishing(Place(kustomize_dir), base, tree, declared, settings, places, apps_folder)
    compared = check_or_write(ctx, plan.generated(), check=check, command="arcan generate overlays")
    print_leftovers(settings, compared)


def _declarations(kustomize_dir: Path, base: str | None) -> tuple[Settings, Declared]:
    """arcan.yaml and the apps. Raises `InvalidFile`, and `SeveralErrors` with what is wrong in both."""
    try:
        settings = read_settings(kustomize_dir)
    except InvalidFile as error:
        try:
            declared_apps(kustomize_dir, base)
        except SeveralErrors as others:
            problems = [*(error.problems or (error,)), *others.problems]
            raise SeveralErrors("the declarations cannot be read:", problems) from None
        raise
    return settings, declared_apps(kustomize_dir, base)


def _vulnerable(overlays: Sequence[Overlay]) -> Iterator[str]:
    """One line for each version of ESO that has published vulnerabilities."""
    for version, which in versions_in(overlays):
        if advisories := advisories_for(version):
            yield f"ESO {version} ({which}) has {_numbers(advisories, version)} or newer"


def _vulnerable_argocd(argocd: ArgoCd | None) -> Iterator[str]:
    """One line where `argocd.version` has published vulnerabilities."""
    version = argocd.version if argocd is not None else None
    if version is not None and (advisories := advisories_for(version, ARGO_CD)):
        yield f"Argo CD {version} (argocd.version) has {_numbers(advisories, version)} or newer"


def _numbers(advisories: Sequence[Advisory], version: Release) -> str:
    """`CVE-1, CVE-2: upgrade the cluster to 2.4.1`."""
    fixed = max(fix for advisory in advisories if (fix := advisory.fixed_in(version)) is not None)
    return f"{', '.join(advisory.number for advisory in advisories)}: upgrade the cluster to {fixed}"
