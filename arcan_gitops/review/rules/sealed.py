"""What the history tells of a document's seal: without the key, a MAC is known by what it was seen with.

A MAC is over one ordered list of values, one `lastmodified` and one path each; its ciphertext has a
random IV. So one MAC never belongs to two lists: the oldest version that has it is the one that it was
made for.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from arcan_gitops.errors import some
from arcan_gitops.git import Entry
from arcan_gitops.review.change import Change, Changed, found, where
from arcan_gitops.review.documents import Document, Leaf, Place, document_or_error, mac_of
from arcan_gitops.review.findings import Finding
from arcan_gitops.review.history import Version, is_rekeyed

_MAC: Final = re.compile(rb"^ +mac: +[\"']?(ENC\[[^\]\n]*\])", re.MULTILINE)
_CIPHERTEXT: Final = re.compile(rb"ENC\[[^\]\n]*\]")


def sealed(change: Change) -> Iterator[Finding]:
    """Bad merges, edits without the key, values and documents that are old ones."""
    documents = [each for each in change.documents if each.after is not None]
    if not documents:
        return
    seen = _by_mac(change, {each.after.mac for each in documents if each.after is not None})
    elsewhere = _ciphertexts(change, documents)
    for each in documents:
        assert each.after is not None
        rolled = _rolled_back(change, each, each.after)
        yield from _mac(change, each, each.after, seen.get(each.after.mac, ()))
        if rolled is not None:
            yield rolled
        elif each.before is not None:
            yield from _lost(change, each, each.before, each.after)
        yield from _moved(change, each, each.after, elsewhere)
        yield from _rekeyed(each)


_Seen = tuple[str, Document]


def _by_mac(change: Change, macs: set[str]) -> dict[str, list[_Seen]]:
    """Where each of the MACs was first: the oldest first, with what it was made for."""
    found: dict[str, list[_Seen]] = {}
    versions = [version for versions in change.history.versions.values() for version in versions]
    versions.sort(key=lambda version: version.order, reverse=True)
    listed: list[tuple[str, str]] = [(version.path, version.blob) for version in versions]
    listed += [(path, change.base.tree.files[path].blob) for path in change.base.paths.values()]
    known: dict[str, str] = {}
    for path, blob in dict.fromkeys(listed):
        if blob not in known:
            text = _mac_text(change.objects.seen(blob) or b"")
            known[blob] = "" if text is None else mac_of(text)
        if known[blob] in macs:
            document = change.objects.made(blob, "document", document_or_error)
            if isinstance(document, Document):
                found.setdefault(known[blob], []).append((path, document))
    return found


def _mac_text(data: bytes) -> str | None:
    """The MAC of a document as it is written: near its end, where sops puts it; without reading the rest."""
    at = data.rfind(b" mac:")
    match = _MAC.match(data, data.rfind(b"\n", 0, at) + 1) if at >= 0 else None
    match = match or _MAC.search(data)
    return None if match is None else match[1].decode("ascii", "replace")


def _mac(change: Change, each: Changed, after: Document, seen: Sequence[_Seen]) -> Iterator[Finding]:
    if not seen or (each.before is not None and each.before.sealed == after.sealed):
        return  # what it is sealed with is as it was: nothing that this branch did
    path, first = seen[0]
    mend = f"{change.restore(each.path)}; then make the change again with 'arcan secret'"
    if path != each.path and covered(first) == covered(after):
        yield found(
            "ARR215",
            f"{each.place}: is the document that stands, or stood, at {path}: "
            f"readers of {each.place} get its values",
            f"if that is meant: arcan realm bind {where(each.place)}, and arcan realm rotate "
            f"{where(each.place)}",
            each.path,
        )
    elif covered(first) != covered(after):
        names = some(sorted(_differing(first, after)))
        yield found(
            "ARR101",
            f"{each.place}: its MAC was made for other values ({names}): the server will refuse all of it",
            mend,
            each.path,
        )
    elif first.sealed != after.sealed:
        what = "lastmodified" if first.lastmodified != after.lastmodified else "what its rule covers"
        yield found(
            "ARR102",
            f"{each.place}: {what} is not what its MAC was made with: the server will refuse all of it",
            mend,
            each.path,
        )


def covered(document: Document) -> tuple[Any, ...]:
    """The leaves that the MAC counts, in their order."""
    return tuple(
        leaf for leaf in document.leaves if leaf.digest and (leaf.encrypted or not document.mac_only)
    )


def _differing(one: Document, other: Document) -> set[str]:
    """The top-level keys in which they differ, or whose order does."""
    differing = set(covered(one)) ^ set(covered(other))
    return {str(leaf.path[0]) for leaf in differing} or {"their order"}


def _rolled_back(change: Change, each: Changed, after: Document) -> Finding | None:
    """The whole document is as it was before what the base has."""
    if each.before is None or covered(each.before) == covered(after):
        return None
    for version, then in change.history.documents(each.path, change.objects):
        if _is_of(change, version) or then.sealed != after.sealed:
            continue
        keys = some(sorted(_differing(each.before, after)))
        age = _age(change.now, version.commit.time)
        return found(
            "ARR214",
            f"{each.place}: is as it was {age} ago ({version.commit.id[:12]}): {keys} get the values of then",
            f"if it is no revert: {change.restore(each.path)}",
            each.path,
        )
    return None


def _is_of(change: Change, version: Version) -> bool:
    """Whether a version was made by the branch itself."""
    return version.commit.id in change.own


def _lost(change: Change, each: Changed, before: Document, after: Document) -> Iterator[Finding]:
    """Values that are older ones than the base has, in a document that moved on."""
    old = {leaf.path: leaf.digest for leaf in before.leaves}
    suspects = [
        leaf
        for leaf in after.leaves
        if leaf.encrypted and leaf.digest and leaf.path in old and old[leaf.path] != leaf.digest
    ]
    if not suspects:
        return
    stood: dict[Leaf, str] = {}
    for version, then in change.history.documents(each.path, change.objects):
        if not _is_of(change, version):
            stood.update(dict.fromkeys(set(suspects) & set(then.leaves), version.commit.id))
    keys = sorted({str(leaf.path[0]) for leaf in suspects if leaf in stood})
    if keys:
        yield found(
            "ARR103",
            f"{each.place}: {some(keys)} {_have(keys)} an older ciphertext than the base: a newer value "
            "is lost",
            f"{change.restore(each.path)}, and make this branch's own change again",
            each.path,
        )


def _have(keys: Sequence[str]) -> str:
    return "has" if len(keys) == 1 else "have"


def _ciphertexts(change: Change, documents: Sequence[Changed]) -> Mapping[str, tuple[Place, Leaf]]:
    """Where the base has each ciphertext that is new in a place: by its digest. Only documents that have
    one of the texts are read.
    """
    texts: set[bytes] = set()
    for each in documents:
        texts |= _texts(change, change.head.tree.files.get(each.path))
    found: dict[str, tuple[Place, Leaf]] = {}
    for place, path in change.base.paths.items() if texts else ():
        if texts.isdisjoint(_texts(change, change.base.tree.files[path])):
            continue
        document = change.base.documents.get(place)
        for leaf in document.leaves if document is not None else ():
            if leaf.encrypted and leaf.digest:
                found[leaf.digest] = (place, leaf)
    return found


def _texts(change: Change, entry: Entry | None) -> set[bytes]:
    data = None if entry is None else change.objects.seen(entry.blob)
    return set(_CIPHERTEXT.findall(data)) if data is not None else set()


def _moved(
    change: Change, each: Changed, after: Document, elsewhere: Mapping[str, tuple[Place, Leaf]]
) -> Iterator[Finding]:
    old = set(each.before.leaves) if each.before is not None else set()
    wrong: dict[str, str] = {}
    for leaf in after.leaves:
        at = elsewhere.get(leaf.digest) if leaf.encrypted and leaf not in old else None
        if at is None or (at[0] == each.place and at[1].path == leaf.path):
            continue
        if at[1].path == leaf.path and after.wrapped:
            continue  # of another document: that is told of the document, or by its MAC
        name = ".".join(map(str, at[1].path))
        wrong[".".join(map(str, leaf.path))] = name if at[0] == each.place else f"{name} of {at[0]}"
    for key, origin in sorted(wrong.items()):
        yield found(
            "ARR104",
            f"{each.place}: the ciphertext of {origin} stands at {key}, where it does not open",
            f"{change.restore(each.path)} && arcan secret rename {each.place.realm} "
            f"{shlex.quote(origin.partition(' of ')[0])} {shlex.quote(key)} --env {each.place.environment}",
            each.path,
        )


def _rekeyed(each: Changed) -> Iterator[Finding]:
    before, after = each.before, each.after
    if before is None or after is None or each.place.key is not None or not is_rekeyed(before, after):
        return
    yield found(
        "ARR216",
        f"{each.place}: has a new data key, and every value is encrypted anew: only the key can tell a "
        "rotation "
        "from values that somebody made up",
        "with the key: arcan gate",
        each.path,
    )


def _age(now: datetime, then: int) -> str:
    seconds = max(0, int((now - datetime.fromtimestamp(then, UTC)).total_seconds()))
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            number = seconds // size
            return f"{number} {name}{'' if number == 1 else 's'}"
    return "less than a minute"
