"""Checks of realm files that take no key, for pull requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from arcan_gitops.access import AccountRecord, Policy, TokenRecord, read_tokens_file
from arcan_gitops.errors import ArcanError, some
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms.binding import NotBound
from arcan_gitops.realms.cluster_checks import cluster_problems
from arcan_gitops.realms.layout import alike, is_key_file, parsed_stem
from arcan_gitops.realms.manifests import explained, manifest_problem
from arcan_gitops.realms.recipients import drift, wrong_recipients
from arcan_gitops.realms.removals import there_again
from arcan_gitops.realms.settings import RealmSettings
from arcan_gitops.realms.shared_keys import SharedKeys
from arcan_gitops.realms.sops_config import NoRule, SopsConfig
from arcan_gitops.realms.tree import (
    DOCUMENT_SUFFIX,
    REALM_FILE,
    TOKENS_FILE,
    BadLayout,
    DocumentFile,
    RealmTree,
    document_file,
    read_file,
)
from arcan_gitops.sops import Outline, SopsError, examine, key_names
from arcan_gitops.yamlio import InvalidFile


@dataclass(frozen=True, slots=True)
class Report:
    """How many files were looked at, what is wrong with them, and what may become wrong."""

    checked: int
    problems: tuple[ArcanError, ...]
    without_config: bool  # there is no .sops.yaml to compare the recipients with
    warnings: tuple[ArcanError, ...] = ()


def check(path: Path, clusters: Path | None = None) -> Report:
    """Check a folder of realms, the folder of one realm or of an environment of key files, or one file.

    Structure, names, clear and empty leaves, recipients against `.sops.yaml`, `realm.yaml`, `tokens.yaml`;
    documents that were copied, and those that are not bound where `realm.yaml` has it; for all realms also
    `clusters`, the folder of the clusters that their accounts name. Nothing here proves that no one tampered,
    or which place a document is bound to: that takes the key.
    """
    if not path.exists():
        raise BadLayout(f"{path}: there is no such file or folder", hint="give the folder of the realms")
    is_key = path.is_file() and _is_key_file(path)
    if path.name in ("", "..") or (path.is_file() and len(path.parts) < 3 + is_key):
        path = path.resolve()
    if path.is_file():
        realm = path.parent.parent if is_key else path.parent
        run = _Run(RealmTree(realm.parent))
        run.file(path, RealmName.parse(realm.name))
    elif _is_environment(path):
        path = path if len(path.parts) > 2 else path.resolve()
        run = _Run(RealmTree(path.parent.parent))
        run.environment(RealmName.parse(path.parent.name), EnvironmentName.parse(path.name))
    elif _is_realm(path):
        run = _Run(RealmTree(path.parent))
        run.realm(RealmName.parse(path.name))
    else:
        run = _Run(RealmTree(path))
        run.all()
        if clusters is not None:
            run.clusters(clusters)
    problems = (*run.problems, *run.shared_keys.problems())
    return Report(run.checked, problems, run.without_config, tuple(run.warnings))


def _is_realm(folder: Path) -> bool:
    """Whether it is the folder of one realm: documents, or folders of key files, are in it, and no folders
    of realms.
    """
    entries = list(folder.iterdir())
    if any((folder / name).exists() for name in (REALM_FILE, TOKENS_FILE)):
        return True
    below = [path for entry in entries if entry.is_dir() for path in entry.iterdir() if _is_document(path)]
    if any(map(_is_document, entries)):
        return all(map(_is_key_file, below))
    return bool(below) and all(map(_is_key_file, below))


def _is_environment(folder: Path) -> bool:
    """Whether it is a folder of key files."""
    files = [path for path in folder.iterdir() if is_key_file(path.name) and path.is_file()]
    return bool(files) and all(map(_is_key_file, files))


def _is_key_file(path: Path) -> bool:
    """Whether a file is that of a key, and not the document of an environment: both are named NAME.sops.yaml,
    in a folder. No environment has such a name, or its only key has it.
    """
    if not is_key_file(path.name):
        return False
    stem = path.name.removesuffix(DOCUMENT_SUFFIX)
    if EnvironmentName.grammar.fullmatch(stem) is None:
        return True
    try:
        return key_names(read_file(path)) == (stem,)
    except ArcanError:
        return False


def _is_document(path: Path) -> bool:
    return path.name.endswith(DOCUMENT_SUFFIX) and not path.name.startswith(".") and path.is_file()


class _Run:
    """One check: what was found so far."""

    def __init__(self, tree: RealmTree) -> None:
        self._tree = tree
        self.shared_keys = SharedKeys()
        self._said: set[str] = set()
        self._records: dict[RealmName, tuple[TokenRecord, ...]] = {}
        self._accounts: list[tuple[Path, AccountRecord]] = []
        self.checked = 0
        self.problems: list[ArcanError] = []
        self.warnings: list[ArcanError] = []
        self.config: SopsConfig | None = None
        self.without_config = False
        with self._collecting():
            self.config = SopsConfig.find(tree.root)
            self.without_config = self.config is None

    @contextmanager
    def _collecting(self) -> Iterator[None]:
        try:
            yield
        except ArcanError as error:
            self.problems.append(error)

    def all(self) -> None:
        realms, misplaced = self._tree.scan()
        self.problems += misplaced
        for realm in realms:
            self.realm(realm)
        with self._collecting():
            Policy.build(self._records)

    def clusters(self, folder: Path) -> None:
        if folder.is_dir():  # else no cluster is known yet, and no account reads
            self.checked += len(list(folder.glob("*.yaml")))
            self.problems += cluster_problems(folder, self._accounts)

    def realm(self, realm: RealmName) -> None:
        try:
            self._tree.folder(realm)
        except ArcanError as error:
            self.problems.append(error)
            return
        with self._collecting():
            self._tokens(self._tree.tokens_file(realm), realm)
        with self._collecting():
            documents, misplaced = self._tree.scan_documents(realm)
            self.problems += misplaced
            settings = self._settings(self._tree.realm_file(realm))
            self._documents(realm, documents, settings)
            there = {document.environment for document in documents}
            environments, misplaced = self._tree.removal_folders(realm)
            self.problems += misplaced
            for environment in environments:
                if environment not in there:  # the records of the others were looked at with their documents
                    self.problems += there_again(self._tree, realm, environment, ())

    def environment(self, realm: RealmName, environment: EnvironmentName) -> None:
        with self._collecting():
            files = self._tree.environment(realm, environment)
            self.problems += (*files.misplaced, *files.bad.values())
            self._documents(realm, files.files, self._settings(self._tree.realm_file(realm)))

    def file(self, path: Path, realm: RealmName) -> None:
        with self._collecting():
            if path.name == TOKENS_FILE:
                self._tokens(path, realm)
            elif path.name == REALM_FILE:
                self._settings(path)
            else:
                settings = self._settings(self._tree.realm_file(realm))
                if path.parent == self._tree.root / realm:
                    file = document_file(path, realm)
                else:
                    environment = EnvironmentName.parse(path.parent.name)
                    file = self._tree.key_file(realm, environment, parsed_stem(KeyName, path))
                self._documents(realm, (file,), settings)

    def _settings(self, path: Path | None) -> RealmSettings:
        if path is None:
            return RealmSettings()
        self.checked += 1
        return RealmSettings.parse(read_file(path), str(path))

    def _tokens(self, path: Path | None, realm: RealmName) -> None:
        if path is not None:
            self.checked += 1
            with self._collecting():
                file = read_tokens_file(read_file(path), str(path))
                self._records[realm] = file.tokens
                self._accounts += [(path, account) for account in file.accounts]

    def _documents(
        self, realm: RealmName, documents: Iterable[DocumentFile], settings: RealmSettings
    ) -> None:
        keys: dict[EnvironmentName, list[str]] = {}
        for document in documents:
            self.checked += 1
            problems, outlined = _document(document, settings, self.config)
            # one rule may be for many documents
            self.problems += [problem for problem in problems if problem.message not in self._said]
            self._said |= {problem.message for problem in problems}
            if outlined is not None:
                keys.setdefault(document.environment, []).extend(outlined.keys)
                self.shared_keys.add(document, outlined)
                if document.key is None:
                    self.warnings += _alike(document, outlined)
        for environment, there in keys.items():
            self.problems += there_again(self._tree, realm, environment, there)


def _document(
    document: DocumentFile, settings: RealmSettings, config: SopsConfig | None
) -> tuple[list[ArcanError], Outline | None]:
    problems: list[ArcanError] = []
    data = b""
    try:
        data = document.read()
        outlined, findings = examine(
            data,
            limits=settings.limits,
        )
        if outlined.documents != 1:
            raise SopsError("holds several YAML documents where one is wanted", hint="split the file")
    except ArcanError as error:
        return [explained(error, data, document)], None
    if findings:
        first = explained(findings[0], data, document)
        if first is not findings[0]:  # a manifest: that each of its values is in clear is no news
            return [first], None
        problems += [first, *(finding.located(document.path) for finding in findings[1:])]
    if (manifest := manifest_problem(outlined.keys, data, document)) is not None:
        problems.append(manifest)
    if settings.binding and not outlined.bound:
        bind = f"with an identity: arcan realm bind {document.realm} --env {document.environment}"
        problems.append(NotBound(f"{document.path}: is not bound to its place", hint=bind))
    for key in outlined.keys:
        try:
            KeyName.parse(key)
        except ArcanError as error:
            problems.append(error.located(document.path))
    try:
        document.require_its_key(outlined.keys)
    except ArcanError as error:
        problems.append(error.located(document.path))
    if config is not None:
        try:
            differs = drift(outlined.metadata, config.rule_for(document.path))
            if differs:
                problems.append(wrong_recipients(document, differs, config))
        except (NoRule, InvalidFile) as error:
            problems.append(error)
    return problems, outlined


def _alike(document: DocumentFile, outlined: Outline) -> Iterator[ArcanError]:
    for names in alike(outlined.keys):
        yield ArcanError(
            f"{document.path}: {some(names, between=' and ')} differ only in case",
            hint="give one of them another name: as files of their own they would be one on some machines",
        )
