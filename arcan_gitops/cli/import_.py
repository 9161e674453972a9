"""`arcan import`: the secrets of another system, and who reads them there, into this repository."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from arcan_gitops.cli.environment import home, take
from arcan_gitops.cli.import_run import Import, takes_import
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.project import context_option
from arcan_gitops.cli.secret_value import read_source
from arcan_gitops.cli.sops_binary import document_opener, sops_binary_options
from arcan_gitops.errors import ArcanError
from arcan_gitops.memory_folder import NoMemoryFolder, memory_folder
from arcan_gitops.migrate import Source
from arcan_gitops.names import Namespace, ObjectName
from arcan_gitops.realms.tree import read_file

_path_option = click.option(
    "--path", "below", default="", metavar="PATH", help="Only what is below this path.  [default: everything]"
)
_whole_option = click.option(
    "--whole", multiple=True, metavar="NAME", help="Keep this secret in one piece, as JSON; repeatable."
)
_MAX_TOKEN_BYTES = 8192


@click.group("import")
def import_() -> None:
    """Take over the secrets of Vault, Infisical, AWS, Kubernetes, SOPS files or a dotenv file.

    Reads the live system or the files, and writes the encrypted document of one environment: a new one by
    .sops.yaml, or the one that is there. Credentials come from where the system's own tools take them, and
    are never arguments. The report names each value by where it was, and its key; no value is shown.

    A key is named by the path of its secret below the one that was asked for, and the field, joined by '.';
    each run of other characters than A-Z a-z 0-9 . _ - becomes one '_'. --map names one otherwise.

    A second run finds what is there with the same value, and leaves it; with another value it is kept too,
    unless --replace is given. That takes an identity; with --only-new nothing that is there is opened, and
    where each key has a file no identity is needed. With --external-secrets the apps are declared that read
    these secrets now. Exit status 1: something was not imported that somebody has to decide on.
    """


@import_.command()
@takes_import
@click.option("--mount", default="secret", show_default=True, help="Mount of the key-value engine.")
@_path_option
@click.option(
    "--kv-version", type=click.Choice(["1", "2"]), help="Version of the engine.  [default: as Vault says]"
)
@_whole_option
def vault(into: Import, mount: str, below: str, kv_version: str | None, whole: tuple[str, ...]) -> None:
    """Read a key-value engine of Vault or OpenBao.

    VAULT_ADDR, VAULT_NAMESPACE, VAULT_CACERT, VAULT_CLIENT_CERT and VAULT_CLIENT_KEY are Vault's own; the
    token is VAULT_TOKEN, or what `vault login` left in ~/.vault-token. Every field becomes a key, except in
    the secrets that --whole names.
    """
    from arcan_gitops.migrate.sources.vault import VaultAccess, VaultSource

    certificate, key = os.environ.get("VAULT_CLIENT_CERT"), os.environ.get("VAULT_CLIENT_KEY")
    access = VaultAccess(
        address=os.environ.get("VAULT_ADDR") or "https://127.0.0.1:8200",
        token=take("VAULT_TOKEN") or _token_of_login(),
        namespace=os.environ.get("VAULT_NAMESPACE"),
        ca=os.environ.get("VAULT_CACERT") or os.environ.get("VAULT_CAPATH"),
        client_certificate=(certificate, key) if certificate and key else None,
    )
    version = int(kv_version) if kv_version else None
    into.run(lambda: VaultSource(access, mount, below, version, frozenset(whole)))


def _token_of_login() -> str:
    path = home() / ".vault-token"
    try:
        with path.open("rb") as file:
            token = file.read(_MAX_TOKEN_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        token = ""
    if not token:
        raise ArcanError("no token for Vault", hint="log in with 'vault login', or set VAULT_TOKEN")
    return token


@import_.command()
@takes_import
@click.option("--project", required=True, metavar="ID", help="The project's id.")
@click.option("--from-env", metavar="SLUG", help="Infisical's environment.  [default: that of --env]")
@_path_option
def infisical(into: Import, project: str, from_env: str | None, below: str) -> None:
    """Read an environment of an Infisical project.

    The machine identity is INFISICAL_UNIVERSAL_AUTH_CLIENT_ID and INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET, or
    its token INFISICAL_TOKEN; INFISICAL_DOMAIN is the address of a self-hosted instance. References and
    imports are resolved.
    """
    from arcan_gitops.migrate.sources.infisical import DEFAULT_ADDRESS, InfisicalAccess, InfisicalSource

    address = os.environ.get("INFISICAL_DOMAIN") or os.environ.get("INFISICAL_API_URL") or DEFAULT_ADDRESS
    access = InfisicalAccess(
        address=address.rstrip("/").removesuffix("/api"),
        token=take("INFISICAL_TOKEN") or "",
        client_id=take("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID") or "",
        client_secret=take("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET") or "",
    )
    if not access.token and not (access.client_id and access.client_secret):
        raise ArcanError(
            "no credentials for Infisical",
            hint="set INFISICAL_UNIVERSAL_AUTH_CLIENT_ID and INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET",
        )
    environment = from_env or str(into.target.environment)
    into.run(lambda: InfisicalSource(access, project, environment, below))


@import_.command()
@takes_import
@click.option("--service", type=click.Choice(["secrets-manager", "parameter-store"]),
              default="secrets-manager", show_default=True, help="The AWS service.")  # fmt: skip
@_path_option
@click.option("--region", help="The region.  [default: AWS_REGION, or that of the profile]")
@_whole_option
def aws(into: Import, service: str, below: str, region: str | None, whole: tuple[str, ...]) -> None:
    """Read AWS Secrets Manager or Parameter Store.

    Credentials are found as by the aws command: AWS_PROFILE, AWS_ACCESS_KEY_ID, ~/.aws, the role of the
    instance. Each field of a secret that is a JSON object becomes a key; a value that is not text is kept as
    base64.
    """
    from arcan_gitops.migrate.sources.aws import ParameterStoreSource, SecretsManagerSource

    region = region or os.environ.get("AWS_REGION")
    if service == "parameter-store":
        into.run(lambda: ParameterStoreSource(below, region))
    else:
        into.run(lambda: SecretsManagerSource(below, region, frozenset(whole)))


@import_.command()
@takes_import
@click.option("--namespace", type=Parsed("namespace", Namespace.parse), required=True, help="The namespace.")
@click.option("--secret", "names", type=Parsed("secret", ObjectName.parse), multiple=True,
              help="Only this Secret; repeatable. The keys of a single one keep their names.")  # fmt: skip
@context_option
@click.option("--adopt", is_flag=True,
              help="Declare the Secrets that ExternalSecrets of the namespace make.")  # fmt: skip
def kubernetes(
    into: Import, namespace: Namespace, names: tuple[ObjectName, ...], context: str | None, adopt: bool
) -> None:
    """Read the Secrets of a namespace.

    The cluster is that of kubectl: KUBECONFIG, or ~/.kube/config. Service account tokens, Helm releases,
    certificates of cert-manager and tokens of ESO's webhooks are skipped, and listed. A value that is not
    text is kept as base64.
    """
    from arcan_gitops.migrate.sources.kubernetes import KubernetesSource

    with _scratch() as folder:

        def open_source() -> Source:
            return KubernetesSource(namespace, names, context=context, scratch=folder)

        into.from_results(namespace, adopt=adopt).run(open_source)


@contextmanager
def _scratch() -> Iterator[Path | None]:
    """Where a client key of the kubeconfig stands while it is needed: in memory, if the system can."""
    candidates = [Path(os.environ.get("XDG_RUNTIME_DIR") or "/dev/shm"), Path("/dev/shm")]  # noqa: S108
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(memory_folder(candidates))
        except NoMemoryFolder:
            folder = None
        yield folder


@import_.command()
@takes_import
@click.argument(
    "files", type=click.Path(path_type=Path, allow_dash=True), nargs=-1, required=True, metavar="FILE..."
)
@_whole_option
@sops_binary_options
def sops(
    into: Import,
    files: tuple[Path, ...],
    whole: tuple[str, ...],
    sops_binary: str | None,
    allow_key_type: tuple[str, ...],
    allow_key_address: tuple[str, ...],
) -> None:
    """Read files that are encrypted by SOPS; no plaintext is written to disk. - is standard input.

    Each is a manifest of Secrets or SopsSecrets, a dotenv file, JSON, YAML with one or more documents, or any
    file that SOPS keeps as a whole. A key of a Secret keeps its name, and base64 is decoded. Elsewhere the
    names inside maps are joined by dots: 'db: {host: x}' becomes the key db.host, or with --whole db stays
    one value as JSON; a list is kept
    as JSON; a whole file is one key by the name of the file. Two values of one name are reported, and --map
    names them: --map 'secrets.yaml#db/host=DB_HOST', or --map 'secrets.yaml:shop-db#password=DB_PASSWORD'
    where a file has several Secrets.
    """
    from arcan_gitops.migrate.sources.sops import SopsSource

    opener = document_opener(sops_binary, allow_key_type, allow_key_address)
    read = [
        read_source(file) if str(file) == "-" else (read_file(file), str(file))
        for file in dict.fromkeys(files)
    ]
    place = into.target.place
    into.run(lambda: SopsSource(read, into.identities(), opener.load, place, frozenset(whole)))


@import_.command()
@takes_import
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
def dotenv(into: Import, file: Path) -> None:
    """Read a dotenv file; - is standard input.

    Like `arcan secret import`, but the document may be new, each value is reported, and a key that exists
    already is not an error.
    """
    from arcan_gitops.migrate.sources.dotenv import DotenvSource

    source = DotenvSource(*read_source(file), into.target.place)
    into.run(lambda: source)
