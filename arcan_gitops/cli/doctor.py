"""`arcan doctor`: why a Kubernetes Secret is not what it should be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from arcan_gitops.access import read_tokens_file
from arcan_gitops.bootstrap import Kubectl, refreshes
from arcan_gitops.bootstrap.kubectl import Answer
from arcan_gitops.cli.address import ADDRESS
from arcan_gitops.cli.catalogue import load_catalogue
from arcan_gitops.cli.environment import for_other_programs
from arcan_gitops.cli.options import format_option, kustomize_option, realms_option
from arcan_gitops.cli.output import say, warn
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.project import OVERLAY, context_option, find_overlay, overlays_of
from arcan_gitops.deploy.image import Image
from arcan_gitops.doctor.check import examine
from arcan_gitops.doctor.checks import CHECKS
from arcan_gitops.doctor.collecting import collect
from arcan_gitops.doctor.facts import Facts, Repository, Unread
from arcan_gitops.doctor.findings import Place
from arcan_gitops.doctor.job import in_cluster
from arcan_gitops.doctor.probing import probe
from arcan_gitops.doctor.reader import Reader
from arcan_gitops.doctor.reports import FORMATS
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import InvalidName, Namespace, ObjectName, OverlayName
from arcan_gitops.overlay import read_apps, read_settings
from arcan_gitops.overlay.settings import SETTINGS_FILE
from arcan_gitops.realms.tree import RealmTree, read_file
from arcan_gitops.yamlio import emit


def _place(text: str) -> Place:
    namespace, slash, name = text.partition("/")
    if not slash:
        raise InvalidName(f"{text[:80]!r} is not NAMESPACE/NAME", hint="as in shop/shop-env")
    return str(Namespace.parse(namespace)), str(ObjectName.parse(name))


@click.command()
@click.argument("wanted", metavar="[NAMESPACE/NAME]", required=False, type=Parsed("name", _place))
@click.option("-n", "--namespace", type=Parsed("namespace", Namespace.parse), help="All of one namespace.")
@click.option("--overlay", type=OVERLAY, help="The overlay of the cluster.  [default: the only one]")
@context_option
@click.option("--connect-to", type=ADDRESS, help="Connect here, whatever host the stores name.")
@click.option("--no-network", is_flag=True, help="Connect to no server but Kubernetes' own.")
@click.option(
    "--audit-log",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="The server's audit log: what it said to ESO.",
)
@click.option(
    "--in-cluster",
    is_flag=True,
    help="Print a Job that tries from where ESO is, and nothing else.",
)
@click.option(
    "--image",
    metavar="IMAGE",
    type=Parsed("image", Image.parse),
    help="With --in-cluster: the image of the server.  [default: that of its Deployment]",
)
@format_option(FORMATS, help="Lines for people, or JSON.")
@kustomize_option
@realms_option
def doctor(
    wanted: Place | None,
    namespace: Namespace | None,
    overlay: OverlayName | None,
    context: str | None,
    connect_to: tuple[str, int] | None,
    no_network: bool,
    audit_log: Path | None,
    in_cluster: bool,
    image: Image | None,
    style: str,
    kustomize_dir: Path,
    realms: Path,
) -> None:
    """Find out why a Kubernetes Secret is not what it should be.

    Looks at one ExternalSecret, those of a namespace, or all: at its stores, their tokens and CAs, the
    server, the Secret, ESO and Argo CD, by kubectl and over the network from here. Changes nothing, and
    shows no value and no token. Each finding comes with the commands that mend it; what may not be looked
    at is named. In a repository, tokens and names are compared with Git.

    Exits 1 where there is an error, 3 where there is nothing worse than a warning. All checks are in
    docs/troubleshooting.md.

    \b
      arcan doctor shop/shop-env
      arcan doctor shop/shop-env --in-cluster | kubectl apply -f -
    """
    if wanted is not None and namespace is not None:
        raise click.UsageError("one ExternalSecret, or those of a namespace")
    if in_cluster and wanted is None:
        raise click.UsageError("--in-cluster is for one ExternalSecret: name it, as NAMESPACE/NAME")
    if image is not None and not in_cluster:
        raise click.UsageError("--image goes with --in-cluster")
    reader = Reader(_Runs(), context or "")
    facts = collect(
        reader,
        datetime.now(UTC),
        wanted=wanted,
        namespace=None if namespace is None else str(namespace),
        repository=_repository(realms, kustomize_dir, overlay),
        context=context or "",
        say=say,
    )
    if in_cluster:
        click.echo(emit(_job(facts, image)), nl=False)
        return
    if not no_network:
        facts = probe(facts, connect_to, say)
    if audit_log is not None:
        facts = _with_audit(facts, audit_log)
    report = examine(facts, CHECKS)
    click.echo(FORMATS[style](report), nl=False)
    if report.status:
        raise click.exceptions.Exit(report.status)


class _Runs:
    """kubectl, with this process's environment but for what is confidential."""

    def __init__(self) -> None:
        self._kubectl = Kubectl.find()
        self._environment = for_other_programs()

    def answer(self, arguments: Sequence[str], data: bytes = b"") -> Answer:
        return self._kubectl.answer(arguments, self._environment, data)


def _repository(realms: Path, kustomize_dir: Path, overlay: OverlayName | None) -> Repository | Unread:
    """What Git says; a repository that is broken is no reason not to look at the cluster."""
    if not realms.is_dir():
        return Unread(
            "there is no folder of realms here", "arcan doctor --realms realms   # in the repository"
        )
    try:
        catalogue, tree = load_catalogue(realms), RealmTree(realms)
        files = {realm: tree.tokens_file(realm) for realm in tree.realms()}
        tokens = {
            realm: read_tokens_file(read_file(path), str(path)).tokens
            for realm, path in files.items()
            if path is not None
        }
    except ArcanError as error:
        warn(f"the realms here cannot be read, and nothing is compared with them: {error.message}")
        return Unread("the realms here cannot be read", "arcan realm check")
    try:
        declared, name = _declared(kustomize_dir, realms, overlay)
    except ArcanError as error:
        if overlay is not None:
            raise
        warn(f"what is declared here is not compared: {error.message}")
        declared, name = {}, ""
    return Repository(catalogue, tokens, declared, name)


def _declared(kustomize_dir: Path, realms: Path, overlay: OverlayName | None) -> tuple[dict[Place, str], str]:
    """The ExternalSecrets of an overlay's apps, and its name; none where it is not known which one."""
    if overlay is None and not (kustomize_dir / SETTINGS_FILE).exists():
        return {}, ""
    overlays = overlays_of(read_settings(kustomize_dir), realms)
    if overlay is None and len(overlays) != 1:
        return {}, ""
    chosen = find_overlay(overlays, overlay)
    apps = [app for app in read_apps(kustomize_dir) if app.goes_to(chosen.name)]
    found = {
        (str(refresh.namespace), str(refresh.name)): str(app.name)
        for app in apps
        for refresh in refreshes([app], chosen)
        if refresh.namespace is not None
    }
    return found, str(chosen.name)


def _job(facts: Facts, image: Image | None) -> list[dict[str, object]]:
    if image is None:
        return in_cluster(facts, None)
    tag = f":{image.tag}" if image.tag else ""
    return in_cluster(facts, f"{image.name}{tag}{f'@{image.digest}' if image.digest else ''}")


def _with_audit(facts: Facts, path: Path) -> Facts:
    """The last decision about each key, and about each token that was refused, as far as lines are JSON."""
    last: dict[tuple[str, str, str], dict[str, object]] = {}
    for line in read_file(path).decode("utf-8", "replace").splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if not isinstance(found, dict) or not found.get("status"):
            continue
        if found.get("claimed_token_id"):  # refused before its path was looked at
            last["", "", str(found["claimed_token_id"])] = found
        elif found.get("realm"):
            last[found["realm"], str(found.get("environment")), str(found.get("key") or "")] = found
    return replace(facts, audit=last)
