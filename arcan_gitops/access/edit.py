"""Changes to the tokens of a tokens file: bytes in, bytes out, every other line as it was.

Nothing here touches a disk. Each result is read again, and must hold exactly the entries that it should.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from arcan_gitops.access.layout import Layout
from arcan_gitops.access.record import TokenRecord, matching, newest
from arcan_gitops.access.rewriting import edited_tokens, started
from arcan_gitops.access.scope import in_order
from arcan_gitops.access.times import format_time, later
from arcan_gitops.access.token import MintedToken, shown, token_id
from arcan_gitops.access.tokens_file import read_tokens
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import did_you_mean


@dataclass(frozen=True, slots=True)
class Rotation:
    """A rotated token: the file, the old entry as it is in the file now, and the new one."""

    data: bytes
    old: TokenRecord
    new: TokenRecord


def add(data: bytes | None, source: str, record: TokenRecord) -> bytes:
    """The file with one more entry at its end; None or blank is a file that is not there yet.

    Raises `ArcanError`, also for a name that is in use when the record was created.
    """
    data = started(data)
    records = read_tokens(data, source)
    for other in records:
        if other.name == record.name and not other.expired(record.created):
            raise ArcanError(
                f"{source}: a token named '{record.name}' exists (id {other.id})",
                hint=f"replace it with 'arcan token rotate {other.id}', or choose another name",
            )
    return edited_tokens(data, source, (*records, record), lambda file: file.append(record.to_plain()))


def revoke(data: bytes, source: str, name_or_id: str) -> tuple[bytes, tuple[TokenRecord, ...]]:
    """The file without all entries of that name, or without the entry of that id; and what was removed.

    A comment directly above an entry goes with it; all others stay. Raises `ArcanError`, also where no
    entry has that name or id.
    """
    records = read_tokens(data, source)
    removed = _require_match(records, source, name_or_id)
    kept = [record for record in records if record not in removed]
    indexes = [index for index, record in enumerate(records) if record in removed]
    return edited_tokens(data, source, kept, lambda file: file.remove(indexes)), removed


def rotate(
    data: bytes,
    source: str,
    name_or_id: str,
    new: MintedToken,
    *,
    overlap: timedelta,
    now: datetime,
) -> Rotation:
    """The file with `new` beside the entry it replaces, under the same name and scope.

    The old entry expires at the earlier of its own expiry and `now + overlap`; the new one lives as long
    as the old one was made to. Raises `ArcanError`, also for the old entry of a rotation, for which
    another stands.
    """
    records = read_tokens(data, source)
    found = _require_match(records, source, name_or_id)
    current = newest(records, found[0].name)
    assert current is not None  # one of the name was found
    if current not in found:
        raise ArcanError(
            f"{source}: token {name_or_id} was rotated before",
            hint=f"rotate the one that replaced it: 'arcan token rotate {current.id}'",
        )
    old = current
    end = max(later(now, overlap), old.created)  # not before it began, where two clocks differ
    replaced = replace(old, expires=end if old.expires is None else min(old.expires, end))
    added = replace(
        old,
        id=new.id,
        digest=new.digest,
        created=now,
        expires=None if old.expires is None else later(now, old.expires - old.created),
    )
    index = records.index(old)

    def change(file: Layout) -> None:
        file.append(added.to_plain())
        if replaced != old:
            file.set_text(index, "expires", format_time(end), after="created")

    wanted = [*records[:index], replaced, *records[index + 1 :], added]
    return Rotation(edited_tokens(data, source, wanted, change), replaced, added)


def rescope(
    data: bytes,
    source: str,
    name_or_id: str,
    changed: Callable[..., TokenRecord],
    *,
    now: datetime,
) -> tuple[bytes, tuple[TokenRecord, ...]]:
    """The file with another scope or end for every living entry of that name, or the one of that id.

    `changed(record, stands=...)` gives the entry as it is to be; `stands` is whether the entry is the newest
    of its name. Only `environments`, `keys` and `expires` may differ. Returns the entries as they are then.
    Raises `ArcanError`, or what `changed` raises.
    """
    records = list(read_tokens(data, source))
    results = []
    for old in _require_match(records, source, name_or_id):
        stands = newest(records, old.name) == old
        if old.expired(now) and not stands:
            continue
        new = _in_order(old, changed(old, stands=stands))
        index = records.index(old)
        for field in ("expires", "keys", "environments"):  # from the last one upward, as they are written
            if getattr(new, field) == getattr(records[index], field):
                continue
            records[index] = replace(records[index], **{field: getattr(new, field)})
            value = records[index].to_plain().get(field)
            data = edited_tokens(data, source, records, partial(_set_field, index, field, value))
        results.append(records[index])
    return data, tuple(results)


def with_keys(record: TokenRecord, add: Sequence[str], remove: Sequence[str]) -> TokenRecord:
    """The entry with more keys, and without some: those of its list, as they are written there.

    Raises `ArcanError` for what would change nothing, or leave nothing.
    """
    if record.keys is None and not add and not remove:
        return record
    hint = f"arcan token revoke {record.id}"
    return replace(record, keys=changed_keys(f"token '{record.name}'", record.keys, add, remove, hint))


def changed_keys(
    who: str, keys: Sequence[str] | None, add: Sequence[str], remove: Sequence[str], hint: str
) -> tuple[str, ...]:
    """The list of keys of a token or an account, `who`, with more keys and without some; none twice.

    `hint` is how to take all of it away. Raises `ArcanError` for what changes nothing, or leaves nothing.
    """
    if keys is None:
        raise ArcanError(
            f"{who} reads all keys: there is no list to change",
            hint="name the keys that it may read, with --key",
        )
    for glob in remove:
        if glob not in keys:
            raise ArcanError(f"{who} has no key '{glob}' in its list", hint=did_you_mean(glob, keys))
    changed = tuple(dict.fromkeys([*(key for key in keys if key not in remove), *add]))
    if not changed:
        raise ArcanError(f"{who} could read nothing any more", hint=hint)
    return changed


def _in_order(before: TokenRecord, after: TokenRecord) -> TokenRecord:
    """`after`, with its lists in the order of `before`: what stays first, then what is new. Nothing twice."""
    return replace(
        after,
        environments=in_order(before.environments, after.environments),
        keys=in_order(before.keys, after.keys),
    )


def _set_field(index: int, field: str, value: Any, file: Layout) -> None:
    if field == "expires" and value is not None:
        file.set_text(index, field, value, after="created")
    else:
        file.set_list(index, field, value, after="keys" if field == "expires" else "policy")


def no_such_token(where: str, names: Iterable[str], name_or_id: str) -> ArcanError:
    """The error for a name or id that nothing in `where` has, with the nearest of the names there.

    Somebody in a hurry may give the text of the token itself: it is not repeated, and its id is named.
    """
    identifier = token_id(name_or_id)
    hint = did_you_mean(name_or_id, names) if identifier is None else f"give its id: {identifier}"
    return ArcanError(f"{where}: no token has the name or id {shown(name_or_id)}", hint=hint)


def _require_match(records: Sequence[TokenRecord], source: str, name_or_id: str) -> tuple[TokenRecord, ...]:
    found = matching(records, name_or_id)
    if not found:
        raise no_such_token(source, {record.name for record in records}, name_or_id)
    return found
