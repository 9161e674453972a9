"""What every change of a tokens file has in common: it is read again, and must hold what it should."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from arcan_gitops.access.account_record import AccountRecord
from arcan_gitops.access.layout import Layout, Unusual, as_block
from arcan_gitops.access.record import TokenRecord
from arcan_gitops.access.tokens_file import TokensFile, read_tokens_file
from arcan_gitops.errors import ArcanError
from arcan_gitops.yamlio import InvalidFile

_NEW_FILE: Final = b"""\
# Who may read this realm. Nothing here is secret, so this file belongs in Git. Change it with 'arcan token'
# and 'arcan account'.
version: 1
tokens: []
"""


def started(data: bytes | None) -> bytes:
    """The file, or a new one for None or blank."""
    return _NEW_FILE if data is None or not data.strip() else data


def edited_tokens(
    data: bytes, source: str, wanted: Sequence[TokenRecord], change: Callable[[Layout], None]
) -> bytes:
    """The file after `change`, which makes its tokens `wanted`. Raises `ArcanError` where it cannot."""
    file = replace(read_tokens_file(data, source), tokens=tuple(wanted))
    return _edited(data, source, "tokens", file, change)


def edited_accounts(
    data: bytes, source: str, wanted: Sequence[AccountRecord], change: Callable[[Layout], None]
) -> bytes:
    """The same for its accounts."""
    file = replace(read_tokens_file(data, source), accounts=tuple(wanted))
    return _edited(data, source, "accounts", file, change)


def _edited(
    data: bytes, source: str, section: str, wanted: TokensFile, change: Callable[[Layout], None]
) -> bytes:
    for rewritten in (False, True):
        try:
            file = Layout(as_block(data, source) if rewritten else data, source, section)
            change(file)
            if read_tokens_file(file.data(), source) == wanted:
                return file.data()
        except (Unusual, InvalidFile):
            continue
    raise ArcanError(
        f"{source}: is valid, but written in a style that cannot be edited safely; nothing is changed",
        hint=f"write it as a block list: '{section}:', then '  - ...' with one field a line",
    )
