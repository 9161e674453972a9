"""Documents that take the getsops binary, and the real one with what is allowed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from arcan_gitops.getsops import AllowList, Binary, Fallback, environment_for
from tests.support.crafting import as_yaml, craft
from tests.support.realm_files import CANARY, sops_binary
from tests.support.vault import TOKEN, FakeVault

KEY = bytes(range(32))
TREE: dict[str, Any] = {"A": (CANARY.encode(), "str"), "B": (b"5", "int")}
OPEN = {"A": CANARY, "B": 5}
CREATED = "2026-01-02T03:04:05Z"


def fallback(*types: str, addresses: tuple[str, ...] = (), **variables: str) -> Fallback:
    """The real sops, with these types and addresses allowed, in an environment that holds Vault's token."""
    allowed = AllowList.parse(types, addresses)
    given = {"PATH": os.environ["PATH"], "VAULT_TOKEN": TOKEN, **variables}
    environment = environment_for(allowed.types, given, Path("/nonexistent"))
    return Fallback(Binary(Path(sops_binary()), environment), allowed)


def allowing(vault: FakeVault) -> Fallback:
    return fallback("hc_vault", addresses=(vault.address,))


def in_vault(vault: FakeVault, **changes: str) -> bytes:
    """A document whose data key is in a Vault; `changes` are of the entry that says so."""
    return as_yaml(craft(TREE, [], key=KEY, age=None, hc_vault=[vault.wrap(KEY, **changes)]))
