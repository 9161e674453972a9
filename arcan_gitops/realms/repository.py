"""Loads the realms, and keeps the last good ones when a change is bad.

A start is all or nothing over the selection. A reload swaps the realms that are good; a realm with a bad
document keeps its last good documents, and its tokens are judged by themselves, so that a bad document
never delays a revocation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from arcan_gitops.access import id_in_two_realms, read_tokens_file
from arcan_gitops.errors import ArcanError, SeveralErrors, place_of
from arcan_gitops.names import EnvironmentName, RealmName, did_you_mean
from arcan_gitops.realms.binding import NO_DEMANDS, Demands, NotBound, OtherPlace
from arcan_gitops.realms.file_state import states_of
from arcan_gitops.realms.opening import Opener
from arcan_gitops.realms.selection import BadSelection, Selection
from arcan_gitops.realms.settings import RealmSettings
from arcan_gitops.realms.snapshot import Clusters, Environment, Snapshot, Tokens, load_environment
from arcan_gitops.realms.tree import CannotRead, RealmTree, digest, read_file
from arcan_gitops.sops import (
    ClearLeaf,
    EmptyLeaf,
    Identities,
    Malformed,
    NoMatchingIdentity,
    NotEncrypted,
    Tampered,
    TooLarge,
    Unsupported,
    load,
)

# What is wrong with the bytes themselves, and stays wrong: unlike a key service that cannot be reached.
_LASTING: Final = (
    NotEncrypted,
    Malformed,
    Unsupported,
    NoMatchingIdentity,
    Tampered,
    ClearLeaf,
    EmptyLeaf,
    TooLarge,
    OtherPlace,
    NotBound,
)


@dataclass(frozen=True, slots=True)
class Reload:
    """What a reload came to: the snapshot to serve from now on, and all that was wrong."""

    snapshot: Snapshot
    problems: tuple[ArcanError, ...]
    kept: tuple[RealmName, ...]  # the realms that stay at their last good documents or tokens


class Repository:
    """Reads a `RealmTree` by one set of identities."""

    def __init__(
        self,
        tree: RealmTree,
        identities: Identities,
        selection: Selection = Selection(),  # noqa: B008 - frozen
        demands: Demands = NO_DEMANDS,
        open_document: Opener = load,
    ) -> None:
        self._tree = tree
        self._identities = identities
        self._selection = selection
        self._demands = demands
        self._open_document = open_document
        self._failures: dict[Path, tuple[str, ArcanError]] = {}  # by the digest of the bytes that failed

    def load(self, clusters: Clusters = MappingProxyType({})) -> Snapshot:
        """All of the selection, and accounts of those clusters. Raises `SeveralErrors` with all bad files."""
        reload = self._load(None, clusters)
        problems = [*reload.problems, *self._unused()]
        if problems:
            raise SeveralErrors(f"{len(problems)} problem(s) with the realms in {self._tree.root}:", problems)
        return reload.snapshot

    def _unused(self) -> list[ArcanError]:
        """A problem where a pattern selects nothing. A folder that cannot be read is a problem of `_load`."""
        try:
            documents, _ = self._tree.scan_all()
        except CannotRead:
            return []
        try:
            self._selection.require_each_used([(file.realm, file.environment) for file in documents])
        except BadSelection as error:
            return [error]
        return []

    def reload(self, last: Snapshot) -> Reload:
        """The realms as they are now, the bad ones as they were in `last`. Raises nothing but bugs."""
        return self._load(last, last.clusters)

    def forget_failures(self) -> None:
        """Try bad documents again though they have not changed."""
        self._failures.clear()

    def reload_tokens(self, last: Snapshot) -> Snapshot:
        """`last` with the tokens as they are now: a revocation need not wait for documents to be read."""
        tokens = {realm: self._tokens(realm, last)[0] for realm in last.tokens}
        _separate(tokens, last, [])
        return Snapshot.build(last.environments, tokens, last.clusters)

    def _load(self, last: Snapshot | None, clusters: Clusters) -> Reload:
        problems: list[ArcanError] = []
        kept: list[RealmName] = []
        try:
            names, misplaced = self._tree.scan()
            realms = [realm for realm in names if self._selection.has_realm(realm)]
            problems += misplaced
            if names and not realms and last is not None:
                raise BadSelection(f"{self._tree.root}: nothing is selected", hint=did_you_mean("", names))
        except ArcanError as error:
            problems.append(error)
            realms = []
        if not realms and last is not None:
            return Reload(last, tuple(problems), tuple(last.environments))
        environments: dict[RealmName, dict[EnvironmentName, Environment]] = {}
        tokens: dict[RealmName, Tokens] = {}
        for realm in realms:
            loaded, wrong = self._documents(realm, last)
            held, bad_tokens = self._tokens(realm, last)
            if wrong and last is not None:
                loaded = dict(last.environments.get(realm, {}))
            if wrong or bad_tokens is not None:
                kept.append(realm)
            problems += wrong
            if bad_tokens is not None:
                problems.append(bad_tokens)
            if loaded:
                environments[realm] = loaded
            tokens[realm] = held
        problems += _separate(tokens, last, kept)
        snapshot = Snapshot.build(environments, tokens, clusters)
        return Reload(snapshot, tuple(problems), tuple(dict.fromkeys(kept)))

    def _documents(
        self, realm: RealmName, last: Snapshot | None
    ) -> tuple[dict[EnvironmentName, Environment], list[ArcanError]]:
        loaded: dict[EnvironmentName, Environment] = {}
        problems: list[ArcanError] = []
        try:
            documents, misplaced = self._tree.scan_documents(realm)
            problems += misplaced
            realm_file = self._tree.realm_file(realm)
            rules_state = states_of(realm_file)  # before it is read, as all states
            rules = b"" if realm_file is None else read_file(realm_file)
            settings = RealmSettings() if realm_file is None else RealmSettings.parse(rules, str(realm_file))
        except ArcanError as error:
            return loaded, [*problems, error]
        except Exception as error:
            return loaded, [*problems, _bug(self._tree.root / realm, error)]
        for document in documents:
            if not self._selection.has(realm, document.environment):
                continue
            try:
                state = states_of(document.path)
                states = None if state is None or rules_state is None else (*state, *rules_state)
                before = last.environment(realm, document.environment) if last is not None else None
                if before is not None and before.files == states is not None:
                    loaded[document.environment] = before
                    continue
                key = ""
                data = document.read()
                key = digest(data, rules)
                if before is not None and before.digest == key:
                    loaded[document.environment] = replace(before, files=states)
                    continue
                failed, failure = self._failures.get(document.path, ("", None))
                if failure is not None and failed == key:  # costly, and known: all must wait for it
                    problems.append(failure)
                    continue
                values, versions, seal = load_environment(
                    data, document, settings, self._identities, self._demands, self._open_document
                )
                loaded[document.environment] = Environment(values, key, versions, seal, states)
                self._failures.pop(document.path, None)
            except ArcanError as error:
                if isinstance(error, _LASTING):
                    self._failures[document.path] = (key, error)
                problems.append(error)
            except Exception as error:  # a bug that one file brings out must not stop the other realms
                problems.append(_bug(document.path, error))
        return loaded, problems

    def _tokens(self, realm: RealmName, last: Snapshot | None) -> tuple[Tokens, ArcanError | None]:
        before = last.tokens.get(realm, Tokens()) if last is not None else Tokens()
        try:
            path = self._tree.tokens_file(realm)
            if path is None:
                return Tokens(), None
            data = read_file(path)
            key = digest(data)
            if key == before.digest:
                return before, None
            return Tokens(read_tokens_file(data, str(path)), key), None
        except ArcanError as error:
            return before, error
        except Exception as error:
            return before, _bug(self._tree.root / realm, error)


def _bug(path: Path, error: Exception) -> ArcanError:
    problem = f"{path}: unexpected {type(error).__name__} at {place_of(error)}"
    return ArcanError(problem, hint="this is a bug; please report the line above")


def _separate(
    tokens: dict[RealmName, Tokens], last: Snapshot | None, kept: list[RealmName]
) -> list[ArcanError]:
    """Undo the token files that take a token id which another realm already holds.

    The realm that changed is the one at fault: nobody can shut another realm's tokens out by copying them.
    """
    problems: list[ArcanError] = []
    before = last.tokens if last is not None else {}
    # An id stays with the realm that holds it now, also while that realm changes its file: what is accepted
    # never meets what another realm may have to go back to. (A token that moves takes one more reload.)
    owners = {record.id: realm for realm in tokens for record in before.get(realm, Tokens()).file.tokens}
    for realm, held in tuple(tokens.items()):
        taken = next(
            (record.id for record in held.file.tokens if owners.get(record.id, realm) != realm), None
        )
        if taken is not None:
            problems.append(id_in_two_realms(taken, owners[taken], realm))
            kept.append(realm)
            tokens[realm] = before.get(realm, Tokens())
        owners |= {record.id: realm for record in tokens[realm].file.tokens}
    return problems
