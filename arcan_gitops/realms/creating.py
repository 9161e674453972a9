"""A new environment of a realm, in either layout, for those whom `.sops.yaml` names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.names import EnvironmentName, KeyName, RealmName, place_name
from arcan_gitops.realms.kinds import require_kinds
from arcan_gitops.realms.layout import Layout, holds_key_files, key_file, key_folder, refuse_alike
from arcan_gitops.realms.removals import forget_keys
from arcan_gitops.realms.sealing import Sealing
from arcan_gitops.realms.settings import RealmSettings, settings_of
from arcan_gitops.realms.sops_config import NoRule, SopsConfig
from arcan_gitops.realms.tree import DOCUMENT_SUFFIX, REMOVED_FOLDER, BadLayout, RealmTree
from arcan_gitops.realms.writing import Change, make_folders, remove_folders, write_all


@dataclass(frozen=True, slots=True)
class Creation:
    """An environment that can be made; `path` is its document or the folder of its key files."""

    path: Path
    realm: RealmName
    environment: EnvironmentName
    layout: Layout
    settings: RealmSettings
    config: SopsConfig

    @property
    def place(self) -> str:
        """`REALM/ENVIRONMENT`"""
        return place_name(self.realm, self.environment)

    def sealing(self, key: str) -> Sealing:
        """How the document that holds a key is encrypted. Raises as `Sealing.plan`, and `BadLayout`."""
        path = self.path
        if self.layout is Layout.FILES:
            path = key_file(self.path.parent, self.environment, KeyName.parse(key))
        return Sealing.plan(self.config, path, self.place, self.settings)

    def sealings(self, keys: Iterable[str]) -> dict[str, Sealing]:
        """The same for several keys; a document has one, under "". Raises all that is wrong at once."""
        found: dict[str, Sealing] = {}
        problems: list[ArcanError] = []
        for key in keys if self.layout is Layout.FILES else [""]:
            try:
                found[key] = self.sealing(key)
            except ArcanError as error:
                problems.append(error)
        if problems:
            raise problems[0] if len(problems) == 1 else SeveralErrors(f"{self.place}:", problems)
        return found

    def write(self, values: Mapping[str, Any]) -> None:
        """Encrypt the values and write them, and the realm's folder where there is none.

        Raises what the server would refuse to load, naming the path, `WrongKind`, `CannotWrite` and
        `ChangedMeanwhile`; nothing is left behind then.
        """
        try:
            require_kinds(values, self.settings.kinds)
        except ArcanError as error:
            raise error.located(self.path) from None
        if self.layout is Layout.DOCUMENT:
            changes = [Change(self.path, None, self.sealing("").seal(values))]
        else:
            refuse_alike(values, self.path)
            changes = [
                Change(sealing.path, None, sealing.seal({key: values[key]}))
                for key, sealing in self.sealings(values).items()
            ]
        made = make_folders(changes[0].path.parent)
        try:
            write_all(changes)
        except BaseException:
            remove_folders(made)
            raise
        forget_keys(self.path.parent, self.environment, map(str, values))


def is_there(tree: RealmTree, realm: RealmName, environment: EnvironmentName) -> bool:
    """Whether anything of an environment is there, in either layout."""
    folder = tree.root / realm
    files = folder / environment
    return os.path.lexists(folder / f"{environment}{DOCUMENT_SUFFIX}") or (
        environment != REMOVED_FOLDER and files.is_dir() and holds_key_files(files)
    )


def usual_layout(
    tree: RealmTree, config: SopsConfig, realm: RealmName, environment: EnvironmentName
) -> Layout:
    """The layout of a new environment, where nobody asks for one: that of the realm's other environments, and
    where there are none that of all others.

    Of the first one, and where the others differ, it is files; or a document, where that alone has a rule.
    """
    others = _layouts(tree, (realm,)) or _layouts(tree, _realms(tree))
    if len(others) == 1:
        return others.pop()
    folder = tree.root / realm
    if environment == REMOVED_FOLDER or (
        not _has_rule(config, folder / environment / f"KEY{DOCUMENT_SUFFIX}")
        and _has_rule(config, folder / f"{environment}{DOCUMENT_SUFFIX}")
    ):
        return Layout.DOCUMENT
    return Layout.FILES


def _realms(tree: RealmTree) -> tuple[RealmName, ...]:
    try:
        return tree.scan()[0]
    except ArcanError:  # there is no folder of realms yet
        return ()


def _layouts(tree: RealmTree, realms: Iterable[RealmName]) -> set[Layout]:
    found: set[Layout] = set()
    for realm in realms:
        try:
            places = tree.scan_places(realm)
        except ArcanError:  # it is not there, or cannot be read: what is wrong with it is told elsewhere
            continue
        found |= {each.layout for each in places.environments if each.environment not in places.bad}
    return found


def _has_rule(config: SopsConfig, path: Path) -> bool:
    try:
        config.rule_for(path)
    except NoRule:
        return False
    return True


def plan_environment(
    tree: RealmTree,
    config: SopsConfig,
    realm: RealmName,
    environment: EnvironmentName,
    layout: Layout | None = None,
    keys: Iterable[str] = (),
) -> Creation:
    """Where a new environment will be and for whom, before any value is asked for; nothing is written.

    `layout` is that which somebody asked for (None: `usual_layout`). `keys` are those that it is to have,
    where they are known. Raises `BadLayout` where it is there already, `NoRule`, and `Unsupported` for a rule
    that is not native.
    """
    folder = tree.root / realm
    document = folder / f"{environment}{DOCUMENT_SUFFIX}"
    if os.path.lexists(folder):
        tree.folder(realm)
    if is_there(tree, realm, environment):
        raise BadLayout(
            f"{document if os.path.lexists(document) else folder / environment}: is there already",
            hint=f"add a key to it: 'arcan secret set {realm} KEY --env {environment}'",
        )
    if layout is None:
        layout = usual_layout(tree, config, realm, environment)
    path = key_folder(folder, environment) if layout is Layout.FILES else document
    settings = settings_of(tree, realm) if folder.is_dir() else RealmSettings()
    creation = Creation(path, realm, environment, layout, settings, config)
    creation.sealings(keys)
    return creation
