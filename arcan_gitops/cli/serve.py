"""`arcan serve`."""

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from arcan_gitops.access import parse_duration
from arcan_gitops.cli.environment import notify_socket, watchdog_seconds
from arcan_gitops.cli.identities import identity_options, server_identities
from arcan_gitops.cli.options import realms_option
from arcan_gitops.cli.output import say, warn_lines
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.private_files import warn_of_readers
from arcan_gitops.cli.sops_binary import document_opener, sops_binary_options
from arcan_gitops.realms import Reload, Selection
from arcan_gitops.server import ServerConfig
from arcan_gitops.server import serve as run
from arcan_gitops.server.notify import Supervisor
from arcan_gitops.server.preparing import check

DURATION: Final = Parsed("duration", parse_duration)


@click.command(context_settings={"auto_envvar_prefix": "ARCAN"})
@realms_option
@click.option(
    "--select",
    multiple=True,
    metavar="REALM[/ENVIRONMENT]",
    help="Load only these; globs; repeatable. Default: all.",
)
@identity_options
@sops_binary_options
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=Path("/var/lib/arcan"),
    show_default=True,
    help="Where the server's own CA is kept, in tls/, and the key of its audit log, in audit/.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=9797, show_default=True)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    help="A port on which Prometheus reads /metrics, over the same TLS.  [default: none]",
)
@click.option(
    "--tls-host",
    multiple=True,
    metavar="NAME",
    help="Host name or address in the server's own certificate; repeatable. "
    "Default: localhost, 127.0.0.1 and this machine's name.",
)
@click.option("--tls-cert", type=click.Path(path_type=Path), metavar="FILE", help="Certificate chain (PEM).")
@click.option("--tls-key", type=click.Path(path_type=Path), metavar="FILE", help="Its private key (PEM).")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes; more replicas scale better than more workers.",
)
@click.option("--max-connections", type=click.IntRange(16), default=4096, show_default=True)
@click.option(
    "--drain-delay",
    type=click.FloatRange(0, 300),
    default=2,
    show_default=True,
    help="Seconds of 503 on /readyz before SIGTERM closes the listener.",
)
@click.option(
    "--audit-log",
    default="-",
    show_default=True,
    metavar="FILE|-",
    help="One JSON line for each decision; - is standard output.",
)
@click.option(
    "--audit-key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The key that seals the chains of the audit log: 32 characters or more, as 'openssl rand -hex 32' "
    "makes them. It need not be there: then nothing is sealed.  [default: audit/key in the data directory, "
    "which is made]",
)
@click.option(
    "--revoked",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Tokens and accounts to refuse whatever the realms say, watched: an id, REALM/NAME or "
    "CLUSTER/NAMESPACE/ACCOUNT a line; or a folder with a file named by each id, or "
    "CLUSTER.NAMESPACE.ACCOUNT. It need not be there.",
)
@click.option(
    "--clusters",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder with the clusters whose accounts may read, watched: see 'arcan cluster add'.",
)
@click.option(
    "--start",
    type=click.Choice(("sound", "whole")),
    default="sound",
    show_default=True,
    help="sound: serve what is sound, and answer 503 for a document that does not load. whole: do not start "
    "beside a bad document, as in a rollout.",
)
@click.option(
    "--last-good-for",
    type=DURATION,
    default="7d",
    show_default=True,
    help="How long the last good document is served in the place of a bad one. It is kept for the next "
    "start, as ciphertext, in last-good/ of the data directory, but not with --start whole.",
)
@click.option(
    "--deletions",
    type=click.Choice(("optional", "recorded")),
    default="optional",
    show_default=True,
    help="recorded: in every realm a missing key is 404 only where a record says that it was removed, as "
    "with 'deletions: recorded' in a realm.yaml.",
)
@click.option(
    "--binding",
    type=click.Choice(("optional", "required")),
    default="optional",
    show_default=True,
    help="Whether a document must be bound to its place ('arcan realm bind'). One that is bound to another "
    "place is refused always; realm.yaml may require it too.",
)
@click.option(
    "--allow-demo-identity",
    is_flag=True,
    help="Serve documents encrypted to the public demo identity. For the samples only.",
)
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="Load and verify all of it, as --start whole does, and end: exit status 1 where something is "
    "wrong. Nothing is served or written. For the init container of a pod.",
)
def serve(
    realms: Path,
    select: tuple[str, ...],
    identity_file: tuple[Path, ...],
    passphrase_file: Path | None,
    sops_binary: str | None,
    allow_key_type: tuple[str, ...],
    allow_key_address: tuple[str, ...],
    data_dir: Path,
    host: str,
    port: int,
    metrics_port: int | None,
    tls_host: tuple[str, ...],
    tls_cert: Path | None,
    tls_key: Path | None,
    workers: int,
    max_connections: int,
    drain_delay: float,
    audit_log: str,
    audit_key: Path | None,
    revoked: Path | None,
    clusters: Path | None,
    start: str,
    last_good_for: timedelta,
    deletions: str,
    binding: str,
    allow_demo_identity: bool,
    only_check: bool,
) -> None:
    """Serve the realms to the External Secrets Operator over HTTPS.

    Decrypts and verifies every selected document before it listens, and again when files change or on
    SIGHUP. A document that does not load keeps no other from being served. Standard output carries audit
    lines only; the log goes to standard error. Each option can be given as an environment variable too:
    --data-dir as ARCAN_DATA_DIR.
    """
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    for key in (data_dir / "tls/ca.key", data_dir / "tls/server.key") if tls_key is None else (tls_key,):
        warn_of_readers(key)
    warn_of_readers(audit_key or data_dir / "audit/key")
    fallback = document_opener(sops_binary, allow_key_type, allow_key_address)
    config = ServerConfig(
        realms=realms,
        selection=Selection.parse(select),
        data_dir=data_dir,
        host=host,
        port=port,
        metrics_port=metrics_port,
        tls_hosts=tuple(dict.fromkeys(tls_host or ("localhost", "127.0.0.1", socket.gethostname()))),
        tls_files=None if tls_cert is None or tls_key is None else (tls_cert, tls_key),
        workers=workers,
        max_connections=max_connections,
        drain_delay=drain_delay,
        audit_log=audit_log,
        audit_key=audit_key,
        revoked=revoked,
        clusters=clusters,
        identities=server_identities(identity_file, passphrase_file, required=not fallback.allowed.types),
        fallback=fallback,
        supervisor=Supervisor(notify_socket(), watchdog_seconds()),
        start_whole=start == "whole",
        last_good_for=last_good_for.total_seconds(),
        deletions_recorded=deletions == "recorded",
        binding_required=binding == "required",
        allow_demo_identity=allow_demo_identity,
    )
    if only_check:
        _tell(check(config))
    else:
        run(config)


def _tell(checked: Reload) -> None:
    """What was loaded and verified, and what it did not stop at."""
    environments = checked.snapshot.names()
    for realm, name in environments:
        found = checked.snapshot.environments[realm][name]
        say(f"{realm}/{name}: {len(found.values)} keys, verified")
    for finding in checked.findings:
        warn_lines(str(finding))
    revision = checked.snapshot.revision[:12]
    say(f"{len(environments)} environments: a server would start, at revision {revision}")
