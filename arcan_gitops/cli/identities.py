"""Where private keys come from: the options, and all the places where sops looks, in its order.

Source: getsops/sops age/keysource.go (loadIdentities), age/ssh_parse.go. All sources are collected. A source
that is named (by an option or a variable) and cannot be read, or has no key, is an error at once; sops
reports it only when nothing opens a document. Default places that cannot be used are reported only then.
"""

from __future__ import annotations

import os
import resource
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from arcan_gitops.cli.environment import home, take
from arcan_gitops.cli.key_command import output_of
from arcan_gitops.cli.private_files import warn_of_readers
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, InvalidName, RealmName, place_name
from arcan_gitops.sops import BadIdentity, Identities

_F = TypeVar("_F", bound=Callable[..., Any])

_VARIABLES: Final = (
    "SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD, SOPS_AGE_SSH_PRIVATE_KEY_FILE, "
    "SOPS_AGE_SSH_PRIVATE_KEY_CMD"
)
_SSH_KEYS: Final = ("id_ed25519", "id_rsa")
_MAX_BYTES: Final = 1024 * 1024


class NoIdentity(ArcanError):
    """There is no private key in any of the places where one is looked for."""


class CannotReadIdentity(ArcanError):
    """A source of private keys, or the passphrase for it, that cannot be read."""


@dataclass(frozen=True)
class Source:
    """One place that private keys may come from; what is `optional` was named by nobody."""

    name: str
    read: Callable[[], str | bytes]
    optional: bool = False
    only: str = ""  # a place, or the realm of places: it opens documents nowhere else


def identity_options(command: _F) -> _F:
    """`--identity-file` and `--passphrase-file`, for `held_identities` or `server_identities`."""
    command = click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path),
        envvar="ARCAN_PASSPHRASE_FILE",
        metavar="FILE",
        help="Passphrase of the identity files that are protected by one: the file's first line.",
    )(command)
    return click.option(
        "--identity-file",
        multiple=True,
        type=click.Path(path_type=Path),
        envvar="ARCAN_IDENTITY_FILE",
        metavar="FILE",
        help="age identities (from arcan keygen, or age-keygen) or an SSH private key; repeatable. "
        "FILE=REALM or FILE=REALM/ENV: for those documents alone. "
        "SOPS_AGE_KEY_FILE, SOPS_AGE_KEY and sops's other variables count too.",
    )(command)


def held_identities(
    identity_file: tuple[Path, ...], passphrase_file: Path | None, *, required: bool = True
) -> Identities:
    """The private keys that a person's command works with: the options', and all that sops would find. From
    here on there are no core dumps.

    Raises `NoIdentity`, naming all places, where there is none and one is `required`; `BadIdentity` and
    `CannotReadIdentity` for a source that was named, `CommandFailed` for a command.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    sources = [*_given(identity_file), *_from_environment(), *_default_places()]
    held = _collect(sources, passphrase_file)
    if required and not held.recipients:
        ssh = home() / ".ssh"
        places = ", ".join(map(str, (*(ssh / name for name in _SSH_KEYS), default_key_file())))
        found = "".join(f"; not used: {reason}" for reason in held.not_used)
        raise NoIdentity(
            f"no age identity: looked for --identity-file, {_VARIABLES}, {places}{found}{_others(held)}",
            hint=f"give one: --identity-file FILE; or make one: "
            f"arcan keygen -o {shlex.quote(str(default_key_file()))}",
        )
    return held


def given_identities(identity_file: tuple[Path, ...], passphrase_file: Path | None) -> Identities:
    """The private keys of the options and no others: to see what they open alone. From here on there are no
    core dumps. Raises as `held_identities`.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    return _collect(_given(identity_file), passphrase_file)


def server_identities(
    identity_file: tuple[Path, ...], passphrase_file: Path | None, *, required: bool = True
) -> Callable[[], Identities]:
    """How a server reads its private keys: those of options and variables only, for what lies in a home
    directory was not meant for it. Confidential variables are taken out of the environment here and now; the
    call raises as `held_identities` does.
    """
    sources = [*_given(identity_file), *_from_environment()]

    def read() -> Identities:
        held = _collect(sources, passphrase_file)
        if required and not held.recipients:
            raise NoIdentity(
                f"no age identity to decrypt the realms with{_others(held)}",
                hint=f"give one with --identity-file FILE, or by a variable of sops's: {_VARIABLES}",
            )
        return held

    return read


def _others(held: Identities) -> str:
    """What only the binary could use."""
    if not held.others:
        return ""
    return (
        "; those given are of age plugins or post-quantum, which take --sops-binary PATH and "
        "--allow-key-type age-plugin or age-pq"
    )


def default_key_file() -> Path:
    """Where sops keeps age identities: `sops/age/keys.txt` in the user's configuration directory."""
    return _configuration_directory() / "sops" / "age" / "keys.txt"


def _configuration_directory() -> Path:
    """Go's `os.UserConfigDir`, but that sops reads XDG_CONFIG_HOME on macOS too."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or home() / "AppData" / "Roaming")
    if given := os.environ.get("XDG_CONFIG_HOME"):
        return Path(given)
    return home() / ("Library/Application Support" if sys.platform == "darwin" else ".config")


def _given(files: Iterable[Path]) -> Iterator[Source]:
    for given in files:
        path, only = _limited(given)
        yield replace(_file(path), only=only)


def _limited(given: Path) -> tuple[Path, str]:
    """The file, and the realm or place behind its last `=`: unless a file is there whose name has one."""
    file, equals, limit = str(given).rpartition("=")
    if not equals or os.path.lexists(given):
        return given, ""
    realm, slash, environment = limit.partition("/")
    try:
        only = str(RealmName.parse(realm))
        return Path(file), place_name(RealmName(realm), EnvironmentName.parse(environment)) if slash else only
    except InvalidName as error:
        raise CannotReadIdentity(
            f"--identity-file {given}: {error.message}",
            hint="write FILE, or FILE=REALM or FILE=REALM/ENVIRONMENT for the documents of those alone",
        ) from None


def _from_environment() -> Iterator[Source]:
    if path := os.environ.get("SOPS_AGE_SSH_PRIVATE_KEY_FILE"):
        yield _file(Path(path), "SOPS_AGE_SSH_PRIVATE_KEY_FILE: ")
    if command := os.environ.get("SOPS_AGE_SSH_PRIVATE_KEY_CMD"):
        yield _command(command, "SOPS_AGE_SSH_PRIVATE_KEY_CMD")
    if (text := take("SOPS_AGE_KEY")) is not None:
        yield Source("SOPS_AGE_KEY", lambda: text)
    if path := os.environ.get("SOPS_AGE_KEY_FILE"):
        yield _file(Path(path), "SOPS_AGE_KEY_FILE: ")
    if command := os.environ.get("SOPS_AGE_KEY_CMD"):
        yield _command(command, "SOPS_AGE_KEY_CMD")


def _default_places() -> Iterator[Source]:
    for path in (*(home() / ".ssh" / name for name in _SSH_KEYS), default_key_file()):
        if os.path.lexists(path):
            yield Source(str(path), partial(_read, path), optional=True)


def _file(path: Path, said: str = "") -> Source:
    return Source(f"{said}{path}", partial(_read, path, said))


def _command(command: str, variable: str) -> Source:
    return Source(variable, lambda: output_of(command, variable))


def _collect(sources: Iterable[Source], passphrase_file: Path | None) -> Identities:
    passphrase = None if passphrase_file is None else _passphrase(passphrase_file)
    held = Identities(passphrase=passphrase, keep_others=True)
    for source in sources:
        try:
            if not held.add(source.read(), source.name, source.only):
                raise BadIdentity(f"{source.name}: holds no identity")
        except ArcanError as error:
            if not source.optional:
                raise
            held.not_used.append(error.message)
    return held


def _passphrase(path: Path) -> str:
    data = _read(path, "--passphrase-file: ")
    try:
        passphrase = data.decode("utf-8").split("\n", 1)[0].rstrip("\r")
    except UnicodeDecodeError:
        raise CannotReadIdentity(f"--passphrase-file: {path}: not a text") from None
    if not passphrase:
        raise CannotReadIdentity(f"--passphrase-file: {path}: its first line is empty")
    return passphrase


def _read(path: Path, said: str = "") -> bytes:
    """The bytes of a file, which may be a pipe: `--identity-file <(command)`."""
    try:
        with path.open("rb") as file:
            warn_of_readers(path, os.fstat(file.fileno()))
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise CannotReadIdentity(f"{said}{path}: cannot be read: {error.strerror}") from None
    if len(data) > _MAX_BYTES:
        raise CannotReadIdentity(f"{said}{path}: too large for an identity file")
    return data
