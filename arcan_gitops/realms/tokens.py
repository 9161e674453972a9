"""The tokens files of the realms: read apart from the documents, and never more than was written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from arcan_gitops.access import TokenRecord, id_in_two_realms, read_tokens_file
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import RealmName
from arcan_gitops.realms.bugs import bug
from arcan_gitops.realms.snapshot import Snapshot, Tokens
from arcan_gitops.realms.tree import RealmTree, digest, read_file

_NONE: Final = Tokens()


@dataclass(frozen=True, slots=True)
class TokensRead:
    """The tokens by realm. `problems` are files that are bad, whose realms (`kept`) stay at what they said
    before; `findings` are entries that are passed over.
    """

    tokens: dict[RealmName, Tokens]
    problems: tuple[ArcanError, ...]
    findings: tuple[ArcanError, ...]
    kept: tuple[RealmName, ...]


def read_all(tree: RealmTree, realms: Iterable[RealmName], last: Snapshot | None) -> TokensRead:
    """The tokens files as they are now. Raises nothing but bugs."""
    tokens: dict[RealmName, Tokens] = {}
    problems: list[ArcanError] = []
    kept: list[RealmName] = []
    for realm in realms:
        before = _NONE if last is None else last.tokens.get(realm, _NONE)
        tokens[realm], problem = _read(tree, realm, before)
        if problem is not None:
            problems.append(problem)
            kept.append(realm)
    separated, findings = _separate(tokens, last)
    return TokensRead(separated, tuple(problems), findings, tuple(kept))


def _read(tree: RealmTree, realm: RealmName, before: Tokens) -> tuple[Tokens, ArcanError | None]:
    try:
        path = tree.tokens_file(realm)
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
        return before, bug(tree.root / realm, error)


def _separate(
    tokens: dict[RealmName, Tokens], last: Snapshot | None
) -> tuple[dict[RealmName, Tokens], tuple[ArcanError, ...]]:
    """Pass over the entries whose token id another realm holds; the rest of their files counts.

    An id stays with the realm that holds it now, also while that realm takes it out of its file: nobody can
    shut another realm's token out by copying its entry, or have it outlive its revocation. (A token that
    moves takes one more reload.) At a start nobody holds it yet: the entry that was created first has it.
    """
    owners: dict[str, RealmName] = {}
    if last is not None:
        owners = {
            record.id: realm for realm in tokens for record in last.tokens.get(realm, _NONE).file.tokens
        }
    for realm, _, record in sorted(_entries(tokens), key=_age):
        owners.setdefault(record.id, realm)
    findings: list[ArcanError] = []
    separated: dict[RealmName, Tokens] = {}
    for realm, held in tokens.items():
        taken = [record.id for record in held.file.tokens if owners[record.id] != realm]
        findings += [id_in_two_realms(each, owners[each], realm) for each in taken]
        separated[realm] = _without(held, taken)
    return separated, tuple(findings)


def _entries(tokens: dict[RealmName, Tokens]) -> Iterable[tuple[RealmName, int, TokenRecord]]:
    for realm, held in tokens.items():
        for at, record in enumerate(held.file.tokens):
            yield realm, at, record


def _age(entry: tuple[RealmName, int, TokenRecord]) -> tuple[datetime, RealmName, int]:
    return entry[2].created, entry[0], entry[1]


def _without(held: Tokens, ids: list[str]) -> Tokens:
    """The digest is another one than that of the file, so that the file is read anew the next time."""
    if not ids:
        return held
    kept = tuple(record for record in held.file.tokens if record.id not in ids)
    return Tokens(replace(held.file, tokens=kept), f"{held.digest} without {' '.join(sorted(ids))}")
