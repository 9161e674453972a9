"""`accounts` in a tokens file: read, refused, and changed without touching another line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcan_gitops.access import AccountRecord, add, mint, read_tokens_file
from arcan_gitops.access.edit_accounts import add_account, remove_account, rescope_account
from arcan_gitops.access.record import TokenRecord
from arcan_gitops.access.times import parse_time
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import AccountName, InvalidName
from arcan_gitops.yamlio import InvalidFile

FILE = b"""\
# ours
version: 1
accounts:
  # the shop
  - cluster: eu
    namespace: shop
    serviceAccount: arcan # by Git
    keys: [A, 'DB_*']
  - cluster: us
    namespace: shop
    serviceAccount: arcan
    environments:
      - prod
    uid: 6f1c7d1e-0000-4000-8000-000000000001

# the tokens
tokens: []
"""
EU, US = AccountName.parse("eu/shop/arcan"), AccountName.parse("us/shop/arcan")
NEW = AccountRecord("eu", "other", "arcan", ("prod",), ("A",))


def accounts(data: bytes) -> tuple[AccountRecord, ...]:
    return read_tokens_file(data, "tokens.yaml").accounts


def test_an_entry_says_who_may_read_what() -> None:
    eu, us = accounts(FILE)
    assert (eu.name, eu.environments, eu.keys, eu.uid) == (EU, None, ("A", "DB_*"), None)
    assert (us.name, us.environments, us.keys) == (US, ("prod",), None)
    assert us.uid == "6f1c7d1e-0000-4000-8000-000000000001"
    assert [AccountRecord.from_plain(each.to_plain()) for each in (eu, us)] == [eu, us]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{cluster: in-cluster, namespace: a, serviceAccount: b}", "'in-cluster' is not a valid cluster name"),
        ("{cluster: Eu, namespace: a, serviceAccount: b}", "'Eu' is not a valid cluster name"),
        ("{cluster: eu, namespace: a.b, serviceAccount: b}", "'a.b' is not a valid namespace"),
        ("{cluster: eu, namespace: a, serviceAccount: A}", "'A' is not a valid Kubernetes object name"),
        ("{cluster: eu, namespace: a}", "'serviceAccount' is missing"),
        ("{cluster: eu, namespace: a, serviceAccount: b, keys: []}", "'keys' is empty: the account could read"),
        ("{cluster: eu, namespace: a, serviceAccount: b, keys: ['a b']}", "not a valid key glob"),
        ("{cluster: eu, namespace: a, serviceAccount: b, uid: 'a b'}", "'uid' is not that of a service account"),
        ("{cluster: eu, namespace: a, serviceAccount: b, key: [A]}", "key"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_entry_is_said_with_its_line(entry: str, problem: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        read_tokens_file(f"version: 1\naccounts:\n  - {entry}\n".encode(), "tokens.yaml")
    assert caught.value.message.startswith("tokens.yaml:3: ")
    assert problem in caught.value.message


def test_an_account_has_one_entry_in_a_realm() -> None:
    entry = "  - {cluster: eu, namespace: a, serviceAccount: b}\n"
    with pytest.raises(
        InvalidFile, match=r"tokens.yaml:4: account 'eu/a/b' is given twice \(first in line 3\)"
    ):
        read_tokens_file(f"version: 1\naccounts:\n{entry}{entry}".encode(), "tokens.yaml")


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"version: 1\ntokens: []\n",
        b"version: 1\r\ntokens: []\r\n",
        b"version: 1\ntokens: []",
        b"{version: 1, tokens: []}\n",
        b"version: 1\naccounts: []\n",
        b"version: 1\naccounts: # none\n- {cluster: eu, namespace: shop, serviceAccount: arcan}\n",
        FILE,
    ],
)
def test_an_account_is_added_and_taken_out_and_nothing_else_changes(data: bytes | None) -> None:
    before = read_tokens_file(data, "t") if data else read_tokens_file(b"version: 1\ntokens: []\n", "t")
    added = add_account(data, "tokens.yaml", NEW)
    after = read_tokens_file(added, "tokens.yaml")
    assert after == replace(before, accounts=(*before.accounts, NEW))
    back, record = remove_account(added, "tokens.yaml", NEW.name)
    assert record == NEW
    assert read_tokens_file(back, "tokens.yaml") == before
    if data == FILE:
        assert back == FILE
        assert all(line in added.splitlines() for line in FILE.splitlines())


def test_a_token_is_added_beside_accounts_also_where_there_was_no_list_of_tokens() -> None:
    minted = mint()
    record = TokenRecord(
        minted.id, "shop", "read-only", None, None, parse_time("2026-01-01"), None, minted.digest
    )
    for data in (FILE, b"version: 1\naccounts:\n- {cluster: eu, namespace: shop, serviceAccount: arcan}\n"):
        after = read_tokens_file(add(data, "tokens.yaml", record), "tokens.yaml")
        assert after.tokens == (record,)
        assert after.accounts == accounts(data)


def test_a_scope_changes_in_its_lines() -> None:
    def changed(record: AccountRecord) -> AccountRecord:
        return replace(record, keys=("B", "A"), environments=("prod",), uid="one")

    data, record = rescope_account(FILE, "tokens.yaml", EU, changed)
    assert (record.keys, record.environments, record.uid) == (("A", "B"), ("prod",), "one")
    assert accounts(data)[0] == record
    assert b"# by Git" in data
    assert b"  # the shop\n" in data
    data, record = rescope_account(
        data, "tokens.yaml", EU, lambda old: replace(old, keys=None, environments=None, uid=None)
    )
    assert accounts(data) == (AccountRecord("eu", "shop", "arcan"), accounts(FILE)[1])


def test_an_account_that_is_there_or_not_is_said_with_what_to_do() -> None:
    with pytest.raises(ArcanError) as caught:
        add_account(FILE, "tokens.yaml", AccountRecord("eu", "shop", "arcan"))
    assert caught.value.message == "tokens.yaml: account 'eu/shop/arcan' is there already"
    with pytest.raises(ArcanError) as caught:
        remove_account(FILE, "tokens.yaml", AccountName.parse("eu/shop/arcam"))
    assert caught.value.message == "tokens.yaml: there is no account 'eu/shop/arcam'"
    assert "eu/shop/arcan" in (caught.value.hint or "")


@pytest.mark.parametrize("text", ["eu/shop", "eu/shop/a/b", "eu", "in-cluster/shop/a", "eu//a", ""])
def test_an_account_s_name_has_three_parts(text: str) -> None:
    with pytest.raises(InvalidName):
        AccountName.parse(text)
