"""`arcan overlay`: the overlays that arcan.yaml declares."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from arcan_gitops.atomic import replace_file
from arcan_gitops.cli.committed import repository_of
from arcan_gitops.cli.eso_known import warn_if_unknown
from arcan_gitops.cli.in_use import HINT, confirm
from arcan_gitops.cli.options import kustomize_option, realms_option
from arcan_gitops.cli.output import say, warn
from arcan_gitops.cli.overlay_like import declared_or_none, plan_apps, say_missing, write_apps
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.project import OVERLAY, find_overlay
from arcan_gitops.errors import ArcanError
from arcan_gitops.eso_version import EsoVersion, supported_version
from arcan_gitops.names import EnvironmentName, KubeCluster, Namespace, OverlayName, did_you_mean
from arcan_gitops.overlay import Settings, read_settings
from arcan_gitops.overlay.argocd.leftovers import overlay_commands
from arcan_gitops.overlay.argocd.section import with_section
from arcan_gitops.overlay.argocd.settings import ClusterName
from arcan_gitops.overlay.ca import EmbeddedCa, read_ca
from arcan_gitops.overlay.declaring import declare_overlay
from arcan_gitops.overlay.joining import declaration_like
from arcan_gitops.overlay.made import secrets_that_go
from arcan_gitops.overlay.removal import Day
from arcan_gitops.overlay.removing import without_overlay
from arcan_gitops.overlay.server_url import ServerUrl
from arcan_gitops.overlay.settings import SETTINGS_FILE
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.tree import read_file


@click.group()
def overlay() -> None:
    """Add or remove a cluster, or another environment on one."""


@overlay.command()
@click.argument("name", type=OVERLAY)
@click.option(
    "--env",
    "environment",
    type=Parsed("name", EnvironmentName.parse),
    help="The environment of the realms that it gets.  [default: that of --like]",
)
@click.option("--like", type=OVERLAY, help="Another overlay: its settings, and its apps.")
@click.option(
    "--cluster", type=Parsed("name", ClusterName.parse), help="Where it runs, as Argo CD calls the cluster."
)
@click.option(
    "--cluster-keys",
    type=Parsed("name", KubeCluster.parse),
    help="With accounts: the cluster's name in clusters/.  [default: that of --cluster, else as in the file]",
)
@click.option("--server-url", type=Parsed("url", ServerUrl.parse), help="Where ESO reaches the server there.")
@click.option("--eso-version", type=Parsed("version", supported_version), help="The ESO that runs there.")
@click.option("--eso-namespace", type=Parsed("namespace", Namespace.parse), help="Where ESO runs there.")
@realms_option
@kustomize_option
def add(
    name: OverlayName,
    environment: EnvironmentName | None,
    like: OverlayName | None,
    cluster: ClusterName | None,
    cluster_keys: KubeCluster | None,
    server_url: ServerUrl | None,
    eso_version: EsoVersion | None,
    eso_namespace: Namespace | None,
    realms: Path,
    kustomize_dir: Path,
) -> None:
    """Declare an overlay: one line more in arcan.yaml.

    The rest of the file stays as it is, including comments. If no overlay was declared before, each
    environment of the realms had one by default: these are declared too. Settings that are not given come
    from the top of the file. A file that says nothing of Argo CD gets a section for it too: a comment, unless
    Git knows a remote `origin`.

    With --like it has the settings of another overlay, but for those that are given, and the apps that name
    the other one in their files name it too. Then all that is missing is told at once: environments of
    realms, tokens, and what they may read, each with the command.
    """
    declaration: dict[str, Any] = {} if environment is None else {"environment": environment}
    if cluster is not None:
        declaration["cluster"] = cluster
    if cluster_keys is not None:
        declaration["clusterKeys"] = cluster_keys
    if server_url is not None:
        declaration["server"] = {"url": server_url}
    if eso_namespace is not None:
        declaration["stores"] = {"esoNamespace": eso_namespace}
    if eso_version is not None:
        declaration["esoVersion"] = eso_version
    known = _environments(realms)
    settings = read_settings(kustomize_dir)
    path = kustomize_dir / SETTINGS_FILE
    data = read_file(path) if path.exists() else b""
    other = None if like is None else find_overlay(settings.overlays(known), like)
    if other is not None:
        declaration = declaration_like(data, str(path), other, declaration)
        environment = environment or other.environment
    if environment is None:
        raise click.UsageError("which environment? --env NAME, or --like OVERLAY for that of another overlay")
    implied = _implied(settings, known, name, environment)
    declarations = {**implied, name: declaration}
    edited = declare_overlay(data, str(path), declarations, partial(_read_ca, kustomize_dir))
    edited = with_section(edited.decode(), repository_of(kustomize_dir)).encode()
    apps = () if other is None else declared_or_none(kustomize_dir)
    after = Settings.parse(edited, str(path), partial(_read_ca, kustomize_dir))
    added = find_overlay(after.declared, name)
    planned = {} if other is None else plan_apps(apps, other, added)
    replace_file(path, edited)
    for each in implied:
        say(f"{path}: declared overlay '{each}', which was there without a line")
    say(f"{path}: declared overlay '{name}'")
    if other is not None:
        write_apps(planned, other)
        say_missing(apps, declared_or_none(kustomize_dir), after, other, added, realms)
    if eso_version is not None:
        warn_if_unknown(eso_version)
    if environment not in known and other is None:
        warn(f"no realm has an environment '{environment}' yet")
        say(f"next: arcan realm create REALM --env {environment} --key NAME")
    say(f"next: arcan generate overlays, then: arcan bootstrap {name}")


@overlay.command()
@click.argument("name", type=OVERLAY)
@click.option("--yes", is_flag=True, help="Do not ask before Kubernetes Secrets go.")
@kustomize_option
def remove(name: OverlayName, yes: bool, kustomize_dir: Path) -> None:
    """Say in arcan.yaml that an overlay goes, with the day.

    Its line stays, and with it the overlay's Applications: by empty folders, which `arcan generate overlays`
    writes, Argo CD prunes what is there. No app's file has to change. Names the Kubernetes Secrets that will
    go, and asks. What is left to do by hand, once all of it is pruned, is printed as commands.
    """
    path = kustomize_dir / SETTINGS_FILE
    settings = read_settings(kustomize_dir)
    known = {each.name: each for each in (*settings.declared, *settings.removed)}
    if name not in known:
        raise ArcanError(f"{path}: there is no overlay '{name}'", hint=did_you_mean(name, known))
    if known[name].removed is not None:
        raise ArcanError(
            f"{known[name].where}: overlay '{name}' is removed already", hint="arcan generate overlays"
        )
    apps = declared_or_none(kustomize_dir)
    going = secrets_that_go(apps, settings, known[name])
    confirm(f"overlay '{name}'", list(map(str, going)), yes=yes, why="Kubernetes Secrets would go", hint=HINT)
    read = partial(_read_ca, kustomize_dir)
    replace_file(path, without_overlay(read_file(path), str(path), name, Day.today(), read))
    say(f"{path}: overlay '{name}' is removed")
    say("next: arcan generate overlays, and commit both")
    if settings.argocd is not None:
        say("once Argo CD has pruned it, take its line out, arcan generate overlays, and by hand:")
        cluster = known[name].cluster
        others = [each for each in known.values() if each.cluster == cluster and each.name != name]
        for command in overlay_commands(settings.argocd, name, None if others else cluster):
            click.echo(command)


def _read_ca(kustomize_dir: Path, text: str) -> EmbeddedCa:
    return read_ca(kustomize_dir / text)


def _environments(realms: Path) -> tuple[EnvironmentName, ...]:
    """Those of all realms; none where there is no realm yet."""
    tree = RealmTree(realms)
    if not realms.is_dir() or not tree.scan()[0]:
        return ()
    return tuple(sorted({document.environment for document in tree.documents()}))


def _implied(
    settings: Settings,
    environments: tuple[EnvironmentName, ...],
    name: OverlayName,
    environment: EnvironmentName,
) -> dict[OverlayName, dict[str, Any]]:
    """The overlays that exist while none is declared, except the one that is added."""
    if settings.lists_overlays:
        return {}
    found = {each.name: each for each in settings.overlays(environments)}
    if name in found and found[name].environment != environment:
        raise ArcanError(
            f"overlay '{name}' is the one of environment '{found[name].environment}'",
            hint="choose another name",
        )
    return {other: {"environment": found[other].environment} for other in found if other != name}
