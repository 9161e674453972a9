"""Where the document of an environment is or will be, and the commands that name it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms.tree import DOCUMENT_SUFFIX

_REALMS: Final = Path("realms")  # where the commands look without being told


@dataclass(frozen=True, slots=True)
class Place:
    """One environment of a realm below the folder `root`, whether its document exists or not."""

    root: Path
    realm: RealmName
    environment: EnvironmentName

    @property
    def path(self) -> Path:
        """The document."""
        return self.root / self.realm / f"{self.environment}{DOCUMENT_SUFFIX}"

    def command(self, name: str, *words: object) -> str:
        """`arcan NAME REALM WORDS --env ENV`, to be pasted into a shell in the current folder."""
        options = ["--env", self.environment]
        if self.root != _REALMS:
            options += ["--realms", str(self.root)]
        return shlex.join(["arcan", *name.split(), self.realm, *map(str, words), *options])

    def import_clear(self, file: str) -> str:
        """The command that takes the keys of a file in clear; '-' is standard input."""
        if self.path.exists() or (self.root / self.realm / self.environment).is_dir():
            return self.command("secret import", file)
        return self.command("realm create", "--import", file)
