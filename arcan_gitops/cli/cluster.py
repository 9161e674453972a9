"""`arcan cluster`: the clusters whose accounts may read realms, and their public signing keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from arcan_gitops.access import Cluster
from arcan_gitops.atomic import replace_file
from arcan_gitops.bootstrap import Kubectl
from arcan_gitops.cli.account_files import account_files
from arcan_gitops.cli.cluster_secrets import signed_secrets
from arcan_gitops.cli.environment import for_other_programs
from arcan_gitops.cli.options import clusters_option, realms_option
from arcan_gitops.cli.output import say, say_hint, warn
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.project import context_option
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import KubeCluster, did_you_mean
from arcan_gitops.realms.clusters import SUFFIX, cluster_files, read_clusters
from arcan_gitops.realms.tree import RealmTree, read_file
from arcan_gitops.yamlio import emit

_CLUSTER = Parsed("name", KubeCluster.parse)
_NOTE = (
    "# The cluster's issuer, and the public keys that it signs the tokens of its accounts with.\n"
    "# Written by 'arcan cluster add'; nothing here is secret.\n"
)


@click.group()
def cluster() -> None:
    """Make clusters known whose accounts may read realms.

    CLUSTERS/NAME.yaml holds a cluster's issuer and its public signing keys; commit it. The name is this
    project's own: each Argo CD calls its own cluster 'in-cluster'.
    """


@cluster.command()
@click.argument("name", type=_CLUSTER)
@context_option
@click.option(
    "--file",
    type=click.File("rb"),
    metavar="FILE|-",
    help="A JSON Web Key Set, in place of what kubectl reads from /openid/v1/jwks.",
)
@click.option("--issuer", help="The issuer, in place of what kubectl reads.")
@click.option(
    "--replace", is_flag=True, help="Take out the keys, and the issuer, that the cluster has no more."
)
@clusters_option
def add(
    name: KubeCluster, context: str | None, file: Any, issuer: str | None, replace: bool, clusters: Path
) -> None:
    """Write a cluster's issuer and keys, read by kubectl.

    Run it again when the cluster has a new key: the keys of before stay, for tokens that they signed, until
    --replace takes them out. 'arcan cluster check' says what still uses them.

    \b
      kubectl get --raw /openid/v1/jwks | arcan cluster add eu --file=- --issuer=https://...
    """
    if file is not None and context is not None:
        raise click.UsageError("--file and --context exclude each other")
    path = clusters / f"{name}{SUFFIX}"
    before = Cluster.parse(read_file(path), str(path), name) if path.exists() else None
    if file is None:
        now = _read(name, context, issuer)
    else:
        now = _of_file(name, file.read(), issuer or (before.issuer if before else None))
    after = now if before is None or replace else _both(before, now, path)
    _require_own(clusters, after)
    clusters.mkdir(exist_ok=True)
    replace_file(path, (_NOTE + emit([after.to_plain()])).encode())
    old = {key.thumbprint for key in before.keys} if before else set()
    current = {key.thumbprint for key in now.keys}
    for key in after.keys:
        state = "" if key.thumbprint in current else ": is none of the cluster's any more, and stays"
        say(f"{path}: {'key' if key.thumbprint in old else 'new key'} {key.thumbprint[:12]}{state}")
    for thumbprint in sorted(old - {key.thumbprint for key in after.keys}):
        say(f"{path}: key {thumbprint[:12]} is out")
    if {key.thumbprint for key in after.keys} - current:
        say(f"once 'arcan cluster check {name}' names them no more: arcan cluster add {name} --replace")
    say(f"commit {path}, and generate again: arcan generate overlays")


@cluster.command("list")
@clusters_option
@realms_option
def list_clusters(clusters: Path, realms: Path) -> None:
    """List the clusters, their keys, and how many accounts realms grant reads."""
    found, problems = read_clusters(clusters, {})
    tree = RealmTree(realms)
    accounts = (
        [each for _, _, records in account_files(tree, None) for each in records] if realms.is_dir() else []
    )
    rows = [("CLUSTER", "ISSUER", "KEYS", "ACCOUNTS")]
    for name, known in found.items():
        keys = ",".join(key.thumbprint[:12] for key in known.cluster.keys)
        many = len({each.name for each in accounts if each.cluster == name})
        rows.append((name, known.cluster.issuer, keys, str(many)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for problem in problems:
        say(problem.message)
        say_hint(problem)
    if problems:
        raise click.exceptions.Exit(1)


@cluster.command()
@click.argument("name", type=_CLUSTER)
@context_option
@clusters_option
def check(name: KubeCluster, context: str | None, clusters: Path) -> None:
    """Say which key signed each account's Secret in a cluster.

    Reads, by kubectl, the Secrets of accounts that stores read, and prints no token. Exit status 1 where one
    is signed by a key that is not in the cluster's file, or has no token. Before an old key goes, no line may
    name it.
    """
    path = clusters / f"{name}{SUFFIX}"
    if not path.exists():
        known = cluster_files(clusters)[0] if clusters.is_dir() else {}
        hint = did_you_mean(name, known) if known else f"arcan cluster add {name}"
        raise ArcanError(f"there is no {path}", hint=hint)
    held = Cluster.parse(read_file(path), str(path), name)
    used: set[str] = set()
    bad = False
    for secret in signed_secrets(Kubectl.find(), context, for_other_programs(), held):
        click.echo(f"{secret.namespace}/{secret.name}\t{secret.state}")
        used |= {secret.thumbprint} if secret.thumbprint is not None else set()
        bad = bad or secret.thumbprint is None
    for key in held.keys:
        if key.thumbprint not in used:
            say(f"key {key.thumbprint[:12]}: no Secret of an account uses it")
    if bad:
        say(f"a Secret that another key signed is signed anew when it is deleted, and refused until then; "
            f"a new key of the cluster comes in by: arcan cluster add {name}")  # fmt: skip
        raise click.exceptions.Exit(1)


def _read(name: KubeCluster, context: str | None, issuer: str | None) -> Cluster:
    kubectl, into = Kubectl.find(), [] if context is None else [f"--context={context}"]

    def raw(path: str) -> bytes:
        return kubectl.read([*into, "get", "--raw", path], for_other_programs())

    if issuer is None:
        try:
            issuer = json.loads(raw("/.well-known/openid-configuration"))["issuer"]
        except (ValueError, KeyError, TypeError):
            raise ArcanError("the cluster does not say its issuer", hint="give it with --issuer") from None
    return _of_file(name, raw("/openid/v1/jwks"), issuer)


def _of_file(name: KubeCluster, data: bytes, issuer: str | None) -> Cluster:
    if issuer is None:
        raise click.UsageError("--file has keys alone: give the cluster's issuer with --issuer")
    try:
        keys = json.loads(data)["keys"]
        entries = [{field: text for field, text in key.items() if isinstance(text, str)} for key in keys]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ArcanError(
            "the keys are not a JSON Web Key Set",
            hint="it is what 'kubectl get --raw /openid/v1/jwks' prints",
        ) from None
    return Cluster.from_plain(name, {"issuer": issuer, "keys": entries})


def _both(before: Cluster, now: Cluster, path: Path) -> Cluster:
    """The keys of before, and what is new. Raises `ArcanError` where it looks like another cluster."""
    old = {key.thumbprint for key in before.keys}
    if before.issuer != now.issuer or not any(key.thumbprint in old for key in now.keys):
        what = "another issuer" if before.issuer != now.issuer else "none of the keys"
        raise ArcanError(
            f"{path}: the cluster that kubectl reaches has {what} of this file",
            hint="is it another cluster? name it otherwise, or its --context; if it is the same: --replace",
        )
    new = [key for key in now.keys if key.thumbprint not in old]
    return Cluster(before.name, before.issuer, (*before.keys, *new))


def _require_own(clusters: Path, after: Cluster) -> None:
    """Raise `ArcanError` where another cluster's file has one of the keys."""
    if not clusters.is_dir():
        return
    found, problems = read_clusters(clusters, {})
    for problem in problems:
        warn(problem.message)
    mine = {key.thumbprint for key in after.keys}
    for other, known in found.items():
        if other != after.name and any(key.thumbprint in mine for key in known.cluster.keys):
            raise ArcanError(
                f"cluster '{other}' has the same signing key: it is the same cluster, or a copy of it",
                hint=f"use the name '{other}' for it",
            )
