"""Whether documents are what a server would load: their structure without keys, their MAC with keys.

`realms.check` compares the files with each other and with `.sops.yaml`, without a key; this opens them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import KeyName
from arcan_gitops.realms.binding import Demands, Place, Seal, copies, unit_of
from arcan_gitops.realms.kinds import require_kinds
from arcan_gitops.realms.manifests import explained
from arcan_gitops.realms.opening import Opener
from arcan_gitops.realms.settings import RealmSettings, settings_of
from arcan_gitops.realms.snapshot import load_environment
from arcan_gitops.realms.tree import DocumentFile, RealmTree
from arcan_gitops.sops import (
    ANY_VALUES,
    BadEntry,
    Document,
    Identities,
    NoMatchingIdentity,
    SopsError,
    Unsupported,
    load,
    outline,
    require_entries,
)


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
    all_must_open: bool = False,
) -> Iterator[Verified]:
    """Each document in turn, when it is asked for. Values are decrypted in memory, and none is kept.

    A document that belongs elsewhere fails, one with a value that is not of its kind (`realm.yaml`), and with
    `require_binding` one that is bound to no place. With `all_must_open` one fails that no identity opens,
    and one with an entry for an identity that this one does not open.
    """
    demands = Demands(binding=require_binding)
    found = (_verify(tree, document, identities, open_document, demands) for document in documents)
    if not all_must_open or identities is None:
        return found
    return (_opened_by_all(each, identities) for each in found)


def _opened_by_all(each: Verified, identities: Identities) -> Verified:
    """A bad entry is told before what comes of it: that values do not authenticate."""
    try:
        metadata = outline(each.document.read(), limits=ANY_VALUES).metadata
        require_entries(metadata, identities.at(each.document.place))
    except BadEntry as error:
        return Verified(each.document, Verdict.FAILED, error.located(each.document.path))
    except ArcanError:
        return each  # which says why already
    unopened = each.verdict is Verdict.UNOPENED
    return Verified(each.document, Verdict.FAILED, each.reason) if unopened else each


def without_copies(found: Sequence[Verified]) -> tuple[tuple[Verified, ...], list[str]]:
    """The same, where a copy of a document that is bound to its place has failed; and what is to be said of
    documents with one data key.
    """
    seals: dict[Place, dict[KeyName | None, Seal]] = defaultdict(dict)
    for each in found:
        if each.seal is not None:
            seals[each.document.realm, each.document.environment][each.document.key] = each.seal
    refused, told = copies(seals)
    units = (unit_of(each.document) for each in found)
    return tuple(
        Verified(each.document, Verdict.FAILED, refused[unit]) if unit in refused else each
        for each, unit in zip(found, units, strict=True)
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
    opened: list[Document] = []

    def remembering(data: bytes, **options: Any) -> Document:
        opened.append(open_document(data, **options))
        return opened[-1]

    try:
        *_, seal = load_environment(data, document, settings, identities, demands, remembering)
        _check_kinds(opened[-1], document, settings)
    except (NoMatchingIdentity, Unsupported) as error:
        return Verified(document, Verdict.UNOPENED, error)
    except ArcanError as error:
        return Verified(document, Verdict.FAILED, error)
    return Verified(document, Verdict.VERIFIED, seal=seal)


def _check_kinds(opened: Document, document: DocumentFile, settings: RealmSettings) -> None:
    try:
        require_kinds(opened.tree, settings.kinds)
    except ArcanError as error:
        raise error.located(document.path) from None


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
