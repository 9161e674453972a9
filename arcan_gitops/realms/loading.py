"""One document of a realm as it is loaded: opened, judged, and remembered where it fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.realms.binding import NO_DEMANDS, Demands, NotBound, OtherPlace, Seal, unit_of
from arcan_gitops.realms.file_state import FileState
from arcan_gitops.realms.kept import Kept, KeptDocuments
from arcan_gitops.realms.layout import DocumentFile, WrongKey
from arcan_gitops.realms.opening import Opener
from arcan_gitops.realms.settings import RealmSettings
from arcan_gitops.realms.snapshot import Values, load_environment
from arcan_gitops.sops import (
    ClearLeaf,
    Digests,
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
    WrongKey,
)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How last good documents are kept: where, for the next start (None: nowhere), and for how long they may
    be served in the place of bad ones (seconds; None: for as long as the server runs).
    """

    documents: KeptDocuments | None = None
    seconds: float | None = None
    clock: Callable[[], float] = time.time

    def since(self, before: float | None) -> float | None:
        """Since when something has stood at its last good state, which it did `before`, or does from now on
        (None); None where that is too long.
        """
        now = self.clock()
        since = now if before is None else before
        return since if self.seconds is None or now - since <= self.seconds else None


@dataclass(frozen=True, slots=True)
class Rules:
    """`realm.yaml` as it was read; `states` is None where it has to be read again."""

    data: bytes
    settings: RealmSettings
    states: tuple[FileState, ...] | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a document came to."""

    values: Values
    versions: Digests
    seal: Seal


class Loader:
    """Opens documents by one set of identities."""

    def __init__(
        self,
        identities: Identities,
        demands: Demands = NO_DEMANDS,
        open_document: Opener = load,
        keeping: Keeping = Keeping(),
    ) -> None:
        self.demands, self.keeping = demands, keeping
        self._identities = identities
        self._open_document = open_document
        self._failures: dict[str, tuple[str, ArcanError]] = {}  # by the digest of the bytes that failed

    def forget_failures(self) -> None:
        """Try bad documents again though they have not changed."""
        self._failures.clear()

    def load(self, file: DocumentFile, data: bytes, rules: Rules, digest: str) -> Loaded:
        """Open a document; `digest` is that of all that decides what becomes of it. Raises `ArcanError`."""
        failed, failure = self._failures.get(file.where, ("", None))
        if failure is not None and failed == digest:  # costly, and known: all must wait for it
            raise failure
        try:
            loaded = self._open(file, data, rules.settings)
        except _LASTING as error:
            self._failures[file.where] = (digest, error)
            raise
        self._failures.pop(file.where, None)
        return loaded

    def kept(self, file: DocumentFile, settings: RealmSettings | None) -> tuple[Loaded, Kept] | None:
        """What an earlier run of the server kept of a document, if it is sound by the rules that hold now:
        `settings`, or where these cannot be read those that were kept with it.
        """
        store = self.keeping.documents
        kept = None if store is None else store.find(unit_of(file))
        if kept is None:
            return None
        try:
            settings = settings or RealmSettings.parse(kept.rules, file.place)
            return self._open(file, kept.data, settings), kept
        except ArcanError:
            return None

    def _open(self, file: DocumentFile, data: bytes, settings: RealmSettings) -> Loaded:
        return Loaded(
            *load_environment(data, file, settings, self._identities, self.demands, self._open_document)
        )
