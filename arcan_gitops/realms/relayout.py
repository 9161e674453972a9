"""An environment from one document into a file for each key, and back: what is served stays the same.

New files are written and read back before the old ones go. A run that was ended in between leaves both, and
the same command again takes away the old ones, once it has found everything of them in the new ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from arcan_gitops.atomic import CannotWrite
from arcan_gitops.errors import ArcanError, SeveralErrors, some
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms.editing import OpenDocument, open_file
from arcan_gitops.realms.files import read_file
from arcan_gitops.realms.layout import (
    DOCUMENT_SUFFIX,
    DocumentFile,
    document_file,
    holds_key_files,
    key_file,
    key_folder,
    refuse_alike,
    scan_folder,
)
from arcan_gitops.realms.recipients import drift
from arcan_gitops.realms.sealing import Sealing
from arcan_gitops.realms.settings import RealmSettings, settings_of
from arcan_gitops.realms.snapshot import values_of
from arcan_gitops.realms.sops_config import NoRule, SopsConfig
from arcan_gitops.realms.tree import BadLayout, RealmTree
from arcan_gitops.realms.writing import Change, make_folders, remove_folders, write_all
from arcan_gitops.sops import CannotEdit, Document, Identities


class NotTheSame(ArcanError):
    """The two layouts of an environment are both there, and hold different things."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was made: the files, how many keys, whether every ciphertext stayed (`kept`), and `drifting` keys,
    whose files are not as their rule says, as before.
    """

    path: Path
    keys: int
    kept: bool
    drifting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Both:
    """Where the two layouts of an environment are, or would be."""

    tree: RealmTree
    realm: RealmName
    environment: EnvironmentName

    @property
    def folder(self) -> Path:
        return key_folder(self.tree.folder(self.realm), self.environment)

    @property
    def document(self) -> Path:
        return self.tree.folder(self.realm) / f"{self.environment}{DOCUMENT_SUFFIX}"

    @property
    def in_files(self) -> bool:
        return self.folder.is_dir() and holds_key_files(self.folder)

    def open_files(self, identities: Identities) -> dict[KeyName, OpenDocument]:
        """The key files. Raises what is wrong with the folder."""
        found = scan_folder(self.folder, self.realm, self.environment)
        problems = [*found.bad.values(), *found.misplaced]
        if problems:
            raise problems[0] if len(problems) == 1 else SeveralErrors(f"{self.folder}:", problems)
        return {file.key: open_file(self.tree, file, identities) for file in found.files if file.key}


def split(tree: RealmTree, realm: RealmName, environment: EnvironmentName, identities: Identities) -> Done:
    """Make a file for each key of a document, with the ciphertext, data key and stanzas that it has there.

    Raises `BadLayout` where the environment is no document or a key can have no file, `NoRule` with the rule
    to write where none is for the files, `NotTheSame`, and as `OpenDocument.load` and `write_all`.
    """
    both = _Both(tree, realm, environment)
    config = SopsConfig.required(tree.root)
    if not os.path.lexists(both.document):
        tree.environment(realm, environment)  # raises where there is no such environment at all
        raise BadLayout(f"{both.folder}: has a file for each key already")
    opened = open_file(tree, document_file(both.document, realm), identities)
    whole = opened.load()
    paths = _paths(both, whole)
    drifting = _drifting(config, whole, paths)
    there = both.open_files(identities) if both.in_files else {}
    _refuse_other_values(both, {key: each.load() for key, each in there.items()}, whole, all_keys=False)
    try:
        parts = whole.part(opened.file.place)
        changes = [Change(path, None, parts[key]) for key, path in paths.items() if key not in there]
        _require_served(whole, (_read_back(opened, key, parts[key]) for key in paths), opened.settings)
    except ArcanError as error:
        raise error.located(opened.path) from None
    made = make_folders(both.folder)
    try:
        write_all(changes)
    except BaseException:
        remove_folders(made)
        raise
    for change in changes:
        _require_written(change.path, change.after)
    write_all([Change(opened.path, opened.data, None)])
    return Done(both.folder, len(paths), True, drifting)


def join(tree: RealmTree, realm: RealmName, environment: EnvironmentName, identities: Identities) -> Done:
    """Make one document of the key files of an environment.

    Ciphertext and data key stay where all files have one data key and the recipients of the document's rule;
    else everything is encrypted anew, by that rule. Raises as `split`.
    """
    both = _Both(tree, realm, environment)
    config = SopsConfig.required(tree.root)
    if not both.in_files:
        tree.environment(realm, environment)
        raise BadLayout(f"{both.document}: is one document already")
    opened = both.open_files(identities)
    documents = {key: each.load() for key, each in opened.items()}
    kept = True
    if os.path.lexists(both.document):
        whole = open_file(tree, document_file(both.document, realm), identities)
        _refuse_other_values(both, documents, whole.load(), all_keys=False)
    else:
        settings = settings_of(tree, realm)
        data, kept = _joined(both, config, documents, settings)
        file = DocumentFile(realm, environment, str(both.document))
        whole = OpenDocument(file, settings, data, identities)
        _refuse_other_values(both, documents, whole.load(), all_keys=True)
        write_all([Change(both.document, None, data)])
        _require_written(both.document, data)
    write_all([Change(each.path, each.data, None) for each in opened.values()])
    remove_folders([both.folder])
    return Done(both.document, len(documents), kept)


def _paths(both: _Both, whole: Document) -> dict[KeyName, Path]:
    """Where the file of each key will be. Raises for the keys that can have none."""
    problems: list[ArcanError] = []
    found: dict[KeyName, Path] = {}
    for name in whole.tree:
        try:
            key = KeyName.parse(name)
            found[key] = key_file(both.folder.parent, both.environment, key)
        except ArcanError as error:
            problems.append(error)
    try:
        refuse_alike(whole.tree, both.folder)
    except ArcanError as error:
        problems.append(error)
    if problems:
        raise (
            problems[0]
            if len(problems) == 1
            else SeveralErrors(f"{both.document}: cannot be split:", problems)
        )
    return found


def _drifting(config: SopsConfig, whole: Document, paths: Mapping[KeyName, Path]) -> tuple[str, ...]:
    """The keys for whose files a rule has others than the document. Raises `NoRule` where none is for one."""
    found = []
    for key, path in paths.items():
        try:
            rule = config.rule_for(path)
        except NoRule as error:
            raise NoRule(
                f"no rule of {config.path} is for {path} and the others: nothing was split",
                hint=[
                    f"write into {config.path} a rule that matches both layouts, or change the path_regex of "
                    "the one that is there:",
                    *config.example_for(path),
                ],
            ) from error
        if drift(whole.metadata, rule):
            found.append(str(key))
    return tuple(found)


def _read_back(opened: OpenDocument, key: KeyName, data: bytes) -> Document:
    """A key file as the server will read it, before it is written."""
    file = DocumentFile(opened.file.realm, opened.file.environment, str(opened.path), key)
    return OpenDocument(file, opened.settings, data, opened.identities).load()


def _require_written(path: Path, data: bytes | None) -> None:
    """Raise `CannotWrite` where the disk does not give back what was written: nothing old goes then."""
    if read_file(path) != data:
        raise CannotWrite(f"{path}: does not hold what was written; nothing was removed")


def _require_served(whole: Document, parts: Iterable[Document], settings: RealmSettings) -> None:
    """Raise `CannotEdit` where the parts would serve anything else than the whole."""
    values: dict[str, object] = {}
    versions: dict[str, str] = {}
    for each in parts:
        values.update({str(key): value for key, value in values_of(each.tree, settings).items()})
        versions |= each.digests.keys
    if values != dict(values_of(whole.tree, settings)) or versions != dict(whole.digests.keys):
        raise CannotEdit("the files would not be served as the document is")


def _joined(
    both: _Both, config: SopsConfig, documents: Mapping[KeyName, Document], settings: RealmSettings
) -> tuple[bytes, bool]:
    """The document, and whether it keeps the ciphertext."""
    place = f"{both.realm}/{both.environment}"
    sealing = Sealing.plan(config, both.document, place, settings)
    first, *others = documents.values()
    if not any(drift(each.metadata, sealing.rule) for each in documents.values()):
        try:
            return first.join(others, place), True
        except CannotEdit:  # other data keys, or comments that belong to no key
            pass
    return sealing.seal({key: document.tree[key] for key, document in documents.items()}), False


def _refuse_other_values(
    both: _Both, files: Mapping[KeyName, Document], whole: Document, *, all_keys: bool
) -> None:
    """Raise `NotTheSame` where a key file has another value than the document, or (`all_keys`) one of the two
    has a key that the other has not.
    """
    settings = settings_of(both.tree, both.realm)
    served = values_of(whole.tree, settings)
    others = [
        str(key)
        for key, each in files.items()
        if key not in served or values_of(each.tree, settings)[key] != served[key]
    ]
    if all_keys:
        others += [str(key) for key in served if key not in files]
    if others:
        raise NotTheSame(
            f"{both.folder} and {both.document} are both there, and differ in {some(sorted(others))}: "
            "nothing was removed",
            hint="see in Git which of the two is meant, remove the other, and run the command again",
        )
