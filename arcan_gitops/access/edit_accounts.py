"""Changes to the accounts of a tokens file: bytes in, bytes out, every other line as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from arcan_gitops.access.account_record import AccountRecord
from arcan_gitops.access.layout import Layout
from arcan_gitops.access.rewriting import edited_accounts, started
from arcan_gitops.access.scope import in_order
from arcan_gitops.access.tokens_file import read_tokens_file
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import AccountName, did_you_mean


def add_account(data: bytes | None, source: str, record: AccountRecord) -> bytes:
    """The file with one more account at its end; None or blank is a file that is not there yet.

    Raises `ArcanError`, also for an account that has an entry.
    """
    data = started(data)
    records = read_tokens_file(data, source).accounts
    if record.name in {other.name for other in records}:
        raise ArcanError(
            f"{source}: account '{record.name}' is there already",
            hint=f"change what it may read with 'arcan account scope {record.name}'",
        )
    return edited_accounts(data, source, (*records, record), lambda file: file.append(record.to_plain()))


def remove_account(data: bytes, source: str, name: AccountName) -> tuple[bytes, AccountRecord]:
    """The file without the entry of the account, and that entry. Raises `ArcanError`, also for none."""
    records = read_tokens_file(data, source).accounts
    index = _index(records, source, name)
    kept = [record for record in records if record.name != name]
    return edited_accounts(data, source, kept, lambda file: file.remove([index])), records[index]


def rescope_account(
    data: bytes, source: str, name: AccountName, changed: Callable[[AccountRecord], AccountRecord]
) -> tuple[bytes, AccountRecord]:
    """The file with another scope or uid for the account; `changed` gives its entry as it is to be.

    Returns the entry as it is then. Raises `ArcanError`, or what `changed` raises.
    """
    records = list(read_tokens_file(data, source).accounts)
    index = _index(records, source, name)
    old = records[index]
    new = changed(old)
    new = replace(
        new,
        environments=in_order(old.environments, new.environments),
        keys=in_order(old.keys, new.keys),
    )
    for field in ("uid", "keys", "environments"):  # from the last one upward, as they are written
        if getattr(new, field) == getattr(records[index], field):
            continue
        records[index] = replace(records[index], **{field: getattr(new, field)})
        value = records[index].to_plain().get(field)
        data = edited_accounts(data, source, records, partial(_set, index, field, value))
    return data, records[index]


def no_such_account(where: str, names: Iterable[AccountName], name: AccountName) -> ArcanError:
    """The error for an account that nothing in `where` has, with the nearest that it has."""
    hint = did_you_mean(str(name), map(str, names))
    return ArcanError(f"{where}: there is no account '{name}'", hint=hint)


def _index(records: Iterable[AccountRecord], source: str, name: AccountName) -> int:
    names = [record.name for record in records]
    if name not in names:
        raise no_such_account(source, names, name)
    return names.index(name)


def _set(index: int, field: str, value: Any, file: Layout) -> None:
    if field == "uid" and value is not None:
        file.set_text(index, field, value, after="serviceAccount")
    else:
        file.set_list(index, field, value, after="serviceAccount")
