"""`realms/<realm>/tokens.yaml`: the tokens and accounts that may read a realm. Nothing in it is secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from arcan_gitops.access.account_record import AccountRecord
from arcan_gitops.access.record import TokenRecord
from arcan_gitops.names import AccountName
from arcan_gitops.yamlio import Fields, InvalidFile, read_mapping

# One realm's file must not be able to keep the server from the others'.
MAX_FILE_BYTES: Final = 1024 * 1024
MAX_TOKENS: Final = 1000
MAX_ACCOUNTS: Final = 5000


@dataclass(frozen=True, slots=True)
class TokensFile:
    """The entries of the file, in file order."""

    tokens: tuple[TokenRecord, ...] = ()
    accounts: tuple[AccountRecord, ...] = ()


def read_tokens_file(data: bytes, source: str) -> TokensFile:
    """All that the file holds. Raises `InvalidFile` with file and line.

    Ids are unique, and an account has one entry. The name of a token may occur several times (see `newest`):
    whether an entry has expired depends on the time of day, and whether a file is valid must not.
    """
    if len(data) > MAX_FILE_BYTES:
        raise InvalidFile(f"{source}: has more than {MAX_FILE_BYTES} bytes")
    fields = read_mapping(data, source)
    version = fields.integer("version", 0)
    tokens, accounts = fields.mappings("tokens"), fields.mappings("accounts")
    fields.done()
    if version != 1:
        fields.fail("'version' must be 1", field="version")
    if "tokens" not in fields and "accounts" not in fields:
        fields.fail("'tokens' is missing", hint="write 'tokens: []' if there are none")
    if len(tokens) > MAX_TOKENS:
        fields.fail(f"more than {MAX_TOKENS} tokens", field="tokens", hint="remove those that have expired")
    if len(accounts) > MAX_ACCOUNTS:
        fields.fail(f"more than {MAX_ACCOUNTS} accounts", field="accounts")
    return TokensFile(_tokens(tokens), _accounts(accounts))


def read_tokens(data: bytes, source: str) -> tuple[TokenRecord, ...]:
    """The tokens of the file. Raises `InvalidFile` for anything that is wrong with the file."""
    return read_tokens_file(data, source).tokens


def _tokens(entries: tuple[Fields, ...]) -> tuple[TokenRecord, ...]:
    lines: dict[str, int] = {}
    records = []
    for entry in entries:
        record = TokenRecord.parse(entry)
        if record.id in lines:
            entry.fail(
                f"token id '{record.id}' is given twice (first in line {lines[record.id]})", field="id"
            )
        lines[record.id] = entry.line_of("id")
        records.append(record)
    return tuple(records)


def _accounts(entries: tuple[Fields, ...]) -> tuple[AccountRecord, ...]:
    lines: dict[AccountName, int] = {}
    records = []
    for entry in entries:
        record = AccountRecord.parse(entry)
        if record.name in lines:
            entry.fail(
                f"account '{record.name}' is given twice (first in line {lines[record.name]})",
                field="cluster",
                hint="make one entry of them",
            )
        lines[record.name] = entry.line_of("cluster")
        records.append(record)
    return tuple(records)
