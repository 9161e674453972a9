"""Whether documents are what a server would load: their structure without keys, their MAC with keys.

`realms.check` compares the files with each other and with `.sops.yaml`, without a key; this opens them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import KeyName
from arcan_gitops.realms.binding import Demands, Seal, copies, unit_of
from arcan_gitops.realms.manifests import explained
from arcan_gitops.realms.opening import Opener
from arcan_gitops.realms.settings import RealmSettings, settings_of
from arcan_gitops.realms.snapshot import load_environment
from arcan_gitops.realms.tree import DocumentFile, RealmTree
from arcan_gitops.sops import Identities, NoMatchingIdentity, SopsError, Unsupported, load, outline


class Verdict(Enum):
    """What became of one document."""

    VERIFIED = "verified"  # opened, and its MAC is right
    UNOPENED = "not opened"  # its structure is sound, and no identity opened it
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Verified:
    """One document, and why it failed or was not opened (None where no identity was given to open it)."""

    document: DocumentFile
    verdict: Verdict
    reason: ArcanError | None = None
    seal: Seal | None = None  # of what was verified


def verify(
    tree: RealmTree,
    documents: Sequence[DocumentFile],
    identities: Identities | None,
    open_document: Opener = load,
    *,
    require_binding: bool = False,
) -> Iterator[Verified]:
    """Each document in turn, when it is asked for. Values are decrypted in memory, and none is kept.

    A document that belongs elsewhere fails, and with `require_binding` one that is bound to no place.
    """
    demands = Demands(binding=require_binding)
    return (_verify(tree, document, identities, open_document, demands) for document in documents)


def without_copies(found: Sequence[Verified]) -> tuple[tuple[Verified, ...], list[str]]:
    """The same, where a copy of a document that is bound to its place has failed; and what is to be said of
    documents with one data key.
    """
    seals = {unit_of(each.document): each.seal for each in found}
    refused, told = copies({unit: seal for unit, seal in seals.items() if seal is not None})
    return tuple(
        Verified(each.document, Verdict.FAILED, refused[unit]) if unit in refused else each
        for each, unit in zip(found, seals, strict=True)
    ), told


def _verify(
    tree: RealmTree,
    document: DocumentFile,
    identities: Identities | None,
    open_document: Opener,
    demands: Demands,
) -> Verified:
    try:
        settings = settings_of(tree, document.realm)
        data = document.read()
        _check_structure(data, document, settings)
    except ArcanError as error:
        return Verified(document, Verdict.FAILED, error)
    if identities is None:
        return Verified(document, Verdict.UNOPENED)
    try:
        *_, seal = load_environment(data, document, settings, identities, demands, open_document)
    except (NoMatchingIdentity, Unsupported) as error:
        return Verified(document, Verdict.UNOPENED, error)
    except ArcanError as error:
        return Verified(document, Verdict.FAILED, error)
    return Verified(document, Verdict.VERIFIED, seal=seal)


def _check_structure(data: bytes, document: DocumentFile, settings: RealmSettings) -> None:
    try:
        outlined = outline(data, limits=settings.limits)
        if outlined.documents != 1:
            raise SopsError("holds several YAML documents where one is wanted", hint="split the file")
        for key in outlined.keys:
            KeyName.parse(key)
        document.require_its_key(outlined.keys)
    except ArcanError as error:
        raise explained(error, data, document) from None
