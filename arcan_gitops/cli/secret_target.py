"""The document that an `arcan secret` command is about, from the arguments and options they all share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from arcan_gitops.cli.identities import held_identities, identity_options
from arcan_gitops.cli.in_use import confirm_unused
from arcan_gitops.cli.options import realms_option
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.realm_options import ENVIRONMENT, realm_argument
from arcan_gitops.errors import ArcanError, some
from arcan_gitops.names import EnvironmentName, InvalidName, KeyName, RealmName, did_you_mean
from arcan_gitops.overlay import App, Settings
from arcan_gitops.overlay.uses import Use, uses_of_keys
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.editing import OpenDocument
from arcan_gitops.realms.environment import Edit, open_environment
from arcan_gitops.realms.key_files import OpenFiles
from arcan_gitops.realms.place import Place
from arcan_gitops.realms.tree import Layout, removal_file
from arcan_gitops.sops import Identities, NoSuchKey

_F = TypeVar("_F", bound=Callable[..., Any])


def _key(text: str) -> KeyName:
    """An error must not repeat the value of somebody who wrote KEY=VALUE."""
    try:
        return KeyName.parse(text)
    except InvalidName as error:
        given = "what was given, which is not repeated here, is not a valid key name"
        raise InvalidName(given, hint=error.hint) from None


KEY: Final = Parsed("key", _key)
_environment_option = click.option(
    "--env", "environment", type=ENVIRONMENT, required=True, help="The environment of the realm: prod."
)


@dataclass(frozen=True, slots=True)
class Target:
    """One environment of one realm, and where the private keys are that open its document."""

    tree: RealmTree
    realm: RealmName
    environment: EnvironmentName
    identity_file: tuple[Path, ...]
    passphrase_file: Path | None

    @property
    def place(self) -> Place:
        """Where its document is or will be."""
        return Place(self.tree.root, self.realm, self.environment)

    def open(self, *, identity_required: bool = True) -> OpenDocument | OpenFiles:
        """Read the environment and the private keys. Raises as `open_environment` and `held_identities`."""
        self.tree.environment(self.realm, self.environment)  # report a typo before looking for private keys
        identities = held_identities(self.identity_file, self.passphrase_file, required=identity_required)
        return open_environment(self.tree, self.realm, self.environment, identities)

    def open_files(self, key: str = "KEY") -> OpenFiles | None:
        """The environment without any private key, where it has a file for each key; else None. `key` is the
        one that is about to be set.
        """
        if self.tree.environment(self.realm, self.environment, key).layout is Layout.DOCUMENT:
            return None
        opened = open_environment(self.tree, self.realm, self.environment, Identities())
        return opened if isinstance(opened, OpenFiles) else None


def names_document(command: _F) -> _F:
    """The argument REALM and the option `--env`: `realm` and `environment`."""
    return realm_argument(_environment_option(command))


def takes_target(command: Callable[..., None]) -> Callable[..., None]:
    """The other options of a `Target`, which the command gets as `target`; goes with `names_document`."""

    @wraps(command)
    def with_target(
        realm: RealmName,
        environment: EnvironmentName,
        realms: Path,
        identity_file: tuple[Path, ...],
        passphrase_file: Path | None,
        **others: Any,
    ) -> None:
        target = Target(RealmTree(realms), realm, environment, identity_file, passphrase_file)
        command(target=target, **others)

    return realms_option(identity_options(with_target))


@contextmanager
def located(where: object) -> Iterator[None]:
    """The errors of the block start with `where: `."""
    try:
        yield
    except ArcanError as error:
        raise error.located(where) from None


def require_key(document: Edit, path: Path, key: KeyName) -> None:
    """Raise `NoSuchKey`, naming the nearest, for a key that the document does not have."""
    if key not in document.tree:
        raise NoSuchKey(f"{path}: there is no key '{key}'", hint=did_you_mean(key, document.keys))


def confirm_keys_unused(
    what: str, target: Target, keys: Sequence[KeyName], kustomize_dir: Path, *, yes: bool
) -> None:
    """Name the declared apps that get one of the keys. Raises `InUse` where nobody says yes."""

    def uses(apps: Sequence[App], settings: Settings) -> Sequence[Use]:
        return uses_of_keys(apps, settings, target.realm, target.environment, keys)

    confirm_unused(what, kustomize_dir, uses, yes=yes)


def reason_option(command: _F) -> _F:
    """`--reason`: `reason`, why keys go."""
    decorated: _F = click.option(
        "--reason", metavar="TEXT", help="Why, for the record, where the realm records what is removed."
    )(command)
    return decorated


def recorded(opened: OpenDocument | OpenFiles, keys: Sequence[str]) -> str:
    """What to say of the records of keys that went; empty where the realm has none."""
    if not opened.settings.recorded or not keys:
        return ""
    paths = [removal_file(opened.realm_folder, opened.environment, key) for key in keys]
    return f"; recorded, commit it too: {some([str(path) for path in paths])}"


class AlreadyThere(ArcanError):
    """Keys that are there, and nobody said that they may be replaced."""

    def __init__(self, path: Path, keys: Sequence[str]) -> None:
        super().__init__(
            f"{path}: {', '.join(keys)}: there already; nothing was changed",
            hint="--replace replaces what is there",
        )


def refuse_present(there: Collection[str], path: Path, keys: Sequence[str]) -> None:
    """Raise `AlreadyThere` for keys that are there."""
    present = [key for key in keys if key in there]
    if present:
        raise AlreadyThere(path, present)
