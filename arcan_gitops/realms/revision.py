"""What a server answers from, by the files alone: the revision, and the names of keys. No private key is
needed.

The code that loads realms does it, with an opener that decrypts nothing; so a document that only a key shows
to be bad counts as good here, and a server that found that out has another revision.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from arcan_gitops.realms.binding import NO_DEMANDS, Demands
from arcan_gitops.realms.clusters import read_clusters
from arcan_gitops.realms.opening import Opener
from arcan_gitops.realms.repository import Repository
from arcan_gitops.realms.selection import Selection
from arcan_gitops.realms.snapshot import Snapshot
from arcan_gitops.realms.tree import RealmTree
from arcan_gitops.sops import Digests, Document, Identities, Limits
from arcan_gitops.sops.digests import digests_of
from arcan_gitops.sops.formats import format_named
from arcan_gitops.sops.metadata import Metadata, split

_VALUE = "not decrypted"


@dataclass(frozen=True, slots=True)
class _Nobody:
    """Stands in for identities: knows the place of the document that is opened, and no key."""

    place: str | None = None

    def at(self, place: str) -> _Nobody:
        return _Nobody(place)


@dataclass(frozen=True, slots=True)
class _Closed:
    """What a document shows without a key: its key names, its `sops` block, the digests of its ciphertext."""

    digests: Digests
    metadata: Metadata
    place: str | None
    key_digest: None = None

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.digests.keys)

    @property
    def tree(self) -> dict[str, str]:
        return dict.fromkeys(self.digests.keys, _VALUE)


def _closed(data: bytes, *, format: str = "yaml", identities: Any, limits: Limits) -> Document:
    trees = format_named(format).parse(data, limits)
    metadata = split(trees)
    return cast("Document", _Closed(digests_of(trees), metadata, identities.place))


def served(
    realms: Path,
    clusters: Path | None = None,
    selection: Selection = Selection(),  # noqa: B008 - frozen
    demands: Demands = NO_DEMANDS,
) -> Snapshot:
    """The snapshot of a server that loads those folders, every value replaced. Raises `ArcanError`."""
    known = {} if clusters is None else read_clusters(clusters, {})[0]
    nobody = cast("Identities", _Nobody())
    repository = Repository(RealmTree(realms), nobody, selection, demands, cast("Opener", _closed))
    return repository.start_sound(known).snapshot
