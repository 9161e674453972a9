"""A repository at one commit as plain facts: realms, callers, apps, overlays. What cannot be read is a
problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from arcan_gitops.access import Cluster, TokensFile, read_tokens_file
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KubeCluster, RealmName
from arcan_gitops.overlay.app import App, parse_declaration
from arcan_gitops.overlay.ca import COMMITTED_CA, DEFAULT_CA, EmbeddedCa
from arcan_gitops.overlay.project import Declared
from arcan_gitops.overlay.removal import RemovedApp
from arcan_gitops.overlay.settings import DEFAULTS, SETTINGS_FILE, Overlay, Settings
from arcan_gitops.realms.creation_rules import CreationRule, applies
from arcan_gitops.realms.settings import RealmSettings
from arcan_gitops.realms.sops_config import CONFIG_FILE, SopsConfig
from arcan_gitops.realms.tree import REALM_FILE, REMOVED_FOLDER, TOKENS_FILE
from arcan_gitops.review.documents import Document, Place, document_or_error, place_of
from arcan_gitops.review.objects import Objects, Tree
from arcan_gitops.review.owners import PLACES as OWNERS_PLACES
from arcan_gitops.review.owners import Owners

REALMS: Final = "realms/"
KUSTOMIZE: Final = "kustomize/"
CLUSTERS: Final = "clusters/"
APPS: Final = f"{KUSTOMIZE}apps/"
OVERLAYS: Final = f"{KUSTOMIZE}overlays/"

T = TypeVar("T")


class Documents(Mapping[Place, Document]):
    """The documents of a tree by their places: each is read when it is asked for, and not there where it
    is none, of which `problems` says why then.
    """

    def __init__(
        self, paths: Mapping[Place, str], tree: Tree, objects: Objects, problems: dict[str, ArcanError]
    ) -> None:
        self.paths = paths
        self._tree = tree
        self._objects = objects
        self._problems = problems

    def __getitem__(self, place: Place) -> Document:
        path = self.paths[place]
        found = self._objects.made(self._tree.files[path].blob, "document", document_or_error)
        if isinstance(found, ArcanError):
            self._problems[path] = found
        if not isinstance(found, Document):
            raise KeyError(place)
        return found

    def __iter__(self) -> Iterator[Place]:
        return (place for place in self.paths if place in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, slots=True)
class State:
    """The facts of one tree. Files are by path; `problems` say of a file why there is nothing of it here.

    `documents` are by their places. Of the work tree and of a commit it is the same.
    """

    tree: Tree
    documents: Mapping[Place, Document]
    paths: Mapping[Place, str]
    tokens: Mapping[str, TokensFile]
    realm_settings: Mapping[str, RealmSettings]
    clusters: Mapping[str, Cluster]
    config: SopsConfig | None
    config_path: str
    settings: Settings
    declared: Declared
    owners: Owners
    problems: Mapping[str, ArcanError] = field(default_factory=dict)
    index: Mapping[tuple[str, str], tuple[Place, ...]] = field(
        default_factory=dict
    )  # by (realm, environment)

    @property
    def realms(self) -> tuple[str, ...]:
        """The names of the realms that have documents, sorted."""
        return tuple(sorted({realm for realm, _ in self.index}))

    def environments(self, realm: str | None = None) -> tuple[str, ...]:
        """Those of a realm, or of all, sorted."""
        return tuple(sorted({environment for of, environment in self.index if realm in (None, of)}))

    def of(self, realm: str, environment: str) -> dict[Place, Document]:
        """The documents of one environment: one, or one for each key."""
        found = {}
        for place in self.index.get((realm, environment), ()):
            if (document := self.documents.get(place)) is not None:
                found[place] = document
        return found

    def keys(self, realm: str, environment: str) -> dict[str, str]:
        """The keys of an environment, each with the digest of its ciphertext."""
        found: dict[str, str] = {}
        for document in self.of(realm, environment).values():
            found.update(document.keys)
        return found

    @property
    def overlays(self) -> tuple[Overlay, ...]:
        """The declared overlays; where none is declared, each environment is one."""
        return self.settings.overlays([EnvironmentName(name) for name in self.environments()])

    def rule_for(self, path: str) -> CreationRule | None:
        """The rule of `.sops.yaml` for a file. Raises `InvalidFile` where it is none."""
        if self.config is None:
            return None
        inside = path.removeprefix(REALMS) if self.config_path.startswith(REALMS) else path
        for number, fields in enumerate(self.config.listed, start=1):
            if applies(fields, number, inside):
                return CreationRule.parse(fields, number)
        return None

    def removal(self, realm: str, environment: str, key: str) -> bool:
        """Whether a record says that a key was removed."""
        return f"{REALMS}{realm}/{REMOVED_FOLDER}/{environment}/{key}.yaml" in self.tree.files


def state_of(tree: Tree, objects: Objects, last_good: Tree | None = None) -> State:
    """Read the facts of a tree. What cannot be read of it is as it is in `last_good`, as it is for a server,
    and a problem.
    """
    reader = _Reader(tree, objects, last_good)
    documents = reader.documents()
    config_path = next((p for p in (f"{REALMS}{CONFIG_FILE}", CONFIG_FILE) if p in tree.files), "")
    settings = reader.settings()
    return State(
        tree=tree,
        documents=documents,
        paths=documents.paths,
        tokens=dict(reader.of_realms(TOKENS_FILE, read_tokens_file)),
        realm_settings=dict(reader.of_realms(REALM_FILE, RealmSettings.parse)),
        clusters=dict(reader.clusters()),
        config=reader.read(config_path, lambda data, path: SopsConfig.parse(data, Path(path))),
        config_path=config_path,
        settings=settings,
        declared=Declared.of(reader.declared()),
        owners=reader.owners(),
        problems=reader.problems,
        index=_by_environment(documents.paths),
    )


def _by_environment(places: Iterable[Place]) -> dict[tuple[str, str], tuple[Place, ...]]:
    found: dict[tuple[str, str], list[Place]] = {}
    for place in places:
        found.setdefault((place.realm, place.environment), []).append(place)
    return {name: tuple(places) for name, places in found.items()}


class _Reader:
    def __init__(self, tree: Tree, objects: Objects, last_good: Tree | None) -> None:
        self._tree = tree
        self._before = _Reader(last_good, objects, None) if last_good is not None else None
        self._objects = objects
        self.problems: dict[str, ArcanError] = {}
        facts = (REALMS, CLUSTERS, APPS)
        objects.load(
            entry.blob
            for path, entry in tree.files.items()
            if path.startswith(facts) or path in (f"{KUSTOMIZE}{SETTINGS_FILE}", CONFIG_FILE, *OWNERS_PLACES)
        )

    def read(self, path: str, parse: Callable[[bytes, str], T]) -> T | None:
        """What `parse` makes of a regular file; None where there is none, or where it cannot be read."""
        entry = self._tree.files.get(path)
        if entry is None or not entry.is_file:
            return None
        found = self._objects.made(entry.blob, path, partial(_parsed, parse, path))
        if isinstance(found, ArcanError):
            self.problems[path] = found
            return self._before.read(path, parse) if self._before is not None else None
        return found

    def documents(self) -> Documents:
        paths: dict[Place, str] = {}
        for path, entry in self._tree.files.items():
            place = place_of(path)
            if place is not None and entry.is_file:
                paths[place] = path
        return Documents(paths, self._tree, self._objects, self.problems)

    def of_realms(self, name: str, parse: Callable[[bytes, str], T]) -> Iterator[tuple[str, T]]:
        for path in self._tree.below(REALMS):
            parts = path.split("/")
            if len(parts) != 3 or parts[2] != name or not RealmName.grammar.fullmatch(parts[1]):
                continue
            if (found := self.read(path, parse)) is not None:
                yield parts[1], found

    def clusters(self) -> Iterator[tuple[str, Cluster]]:
        for path in self._tree.below(CLUSTERS):
            name = path.removeprefix(CLUSTERS).removesuffix(".yaml")
            if not path.endswith(".yaml") or not KubeCluster.grammar.fullmatch(name):
                continue
            found = self.read(path, partial(Cluster.parse, name=name))
            if found is not None:
                yield name, found

    def settings(self) -> Settings:
        """`arcan.yaml`; the file of a CA is a file of the same tree."""
        ca = self._file(f"{KUSTOMIZE}{COMMITTED_CA}")
        defaults = replace(DEFAULTS, ca=DEFAULT_CA if ca is None else EmbeddedCa(ca))
        path = f"{KUSTOMIZE}{SETTINGS_FILE}"

        def parse(data: bytes, source: str) -> Settings:
            return Settings.parse(
                data, source, lambda text: EmbeddedCa(self._file(f"{KUSTOMIZE}{text}") or b""), defaults
            )

        data = self._file(path)
        found = Settings(defaults, source=path) if data is None else _parsed(parse, path, data)
        if isinstance(found, ArcanError):
            self.problems[path] = found
            return self._before.settings() if self._before is not None else Settings(defaults, source=path)
        return found

    def _file(self, path: str) -> bytes | None:
        entry = self._tree.files.get(path)
        return self._objects.data(entry.blob) if entry is not None and entry.is_file else None

    def declared(self) -> Iterator[App | RemovedApp]:
        for path in self._tree.below(APPS):
            if path.endswith(".yaml") and "/" not in path.removeprefix(APPS):
                found = self.read(path, parse_declaration)
                if found is not None:
                    yield found

    def owners(self) -> Owners:
        for path in OWNERS_PLACES:
            if (found := self.read(path, Owners.parse)) is not None:
                return found
        return Owners()


def _parsed(parse: Callable[[bytes, str], T], path: str, data: bytes) -> T | ArcanError:
    try:
        return parse(data, path)
    except ArcanError as error:
        return error
