"""A new document of a realm, for those whom `.sops.yaml` names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arcan_gitops.atomic import CannotWrite
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, RealmName, place_name
from arcan_gitops.realms.creation_rules import CreationRule
from arcan_gitops.realms.editing import write_document
from arcan_gitops.realms.removals import forget_keys
from arcan_gitops.realms.settings import RealmSettings, settings_of
from arcan_gitops.realms.snapshot import values_of
from arcan_gitops.realms.sops_config import SopsConfig
from arcan_gitops.realms.tree import DOCUMENT_SUFFIX, BadLayout, RealmTree
from arcan_gitops.sops import Recipients, encrypt


@dataclass(frozen=True, slots=True)
class Creation:
    """A document that can be made: where it will be, by which rule, and for whom."""

    path: Path
    realm: RealmName
    environment: EnvironmentName
    rule: CreationRule
    recipients: Recipients
    settings: RealmSettings

    def write(self, values: Mapping[str, Any]) -> None:
        """Encrypt the values and write the file, and the realm's folder where there is none.

        Raises what the server would refuse to load, naming the path, `CannotWrite` and `ChangedMeanwhile`;
        nothing is left behind then.
        """
        try:
            values_of(values, self.settings)
            data = encrypt(
                {str(key): value for key, value in values.items()},
                recipients=self.recipients,
                rule=self.rule.selection,
                mac_only=self.rule.mac_only_encrypted,
                limits=self.settings.limits,
                place=place_name(self.realm, self.environment),
            )
        except ArcanError as error:
            raise error.located(self.path) from None
        made = _make_folders(self.path.parent)
        try:
            write_document(self.path, data, replacing=None)
        except BaseException:
            for folder in reversed(made):
                with suppress(OSError):
                    folder.rmdir()
            raise
        forget_keys(self.path.parent, self.environment, map(str, values))


def plan_document(
    tree: RealmTree, config: SopsConfig, realm: RealmName, environment: EnvironmentName
) -> Creation:
    """Where a new document will be and for whom, before any value is asked for; nothing is written.

    Raises `BadLayout` where it is there already, `NoRule`, and `Unsupported` for a rule that is not native.
    """
    path = tree.root / realm / f"{environment}{DOCUMENT_SUFFIX}"
    if os.path.lexists(path.parent):
        tree.folder(realm)
    if os.path.lexists(path):
        raise BadLayout(
            f"{path}: is there already",
            hint=f"add a key to it: 'arcan secret set {realm} KEY --env {environment}'",
        )
    rule = config.rule_for(path)
    try:
        recipients = rule.recipients()
    except ArcanError as error:
        raise error.located(config.path) from None
    settings = settings_of(tree, realm) if path.parent.is_dir() else RealmSettings()
    return Creation(path, realm, environment, rule, recipients, settings)


def _make_folders(folder: Path) -> list[Path]:
    """The folder and those above it; which of them were made, the topmost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    made: list[Path] = []
    try:
        for path in reversed(missing):
            path.mkdir()
            made.append(path)
    except OSError as error:
        for path in reversed(made):
            path.rmdir()
        raise CannotWrite(f"{folder}: cannot be made: {error.strerror}") from None
    return made
