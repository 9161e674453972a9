"""A document that names somebody else's Vault, in every way that comes to mind: it is never contacted."""

from __future__ import annotations

from typing import Any

import pytest

from arcan_gitops.getsops import Fallback
from arcan_gitops.sops import Malformed, SopsError
from tests.support.crafting import as_yaml, craft, wrap
from tests.support.handed_over import CREATED, KEY, OPEN, TREE, allowing, fallback, in_vault
from tests.support.realm_files import CANARY, new_identity
from tests.support.vault import FakeVault


def hostile(vault: FakeVault, foreign: FakeVault) -> dict[str, bytes]:
    """Documents that would have the token of `vault` sent to `foreign`."""
    good, bad = vault.wrap(KEY), foreign.wrap(KEY)
    private_group = {"age": [wrap(KEY, new_identity()[1])]}

    def yaml(**fields: Any) -> bytes:
        return as_yaml(craft(TREE, [], key=KEY, **{"age": None, **fields}))

    plain = yaml(hc_vault=[bad])
    return {
        "alone": plain,
        "behind the allowed one": yaml(hc_vault=[good, bad]),
        "before the allowed one": yaml(hc_vault=[bad, good]),
        "in a key group": yaml(key_groups=[{"hc_vault": [good]}, {"hc_vault": [bad]}], shamir_threshold=2),
        "in the only key group": yaml(key_groups=[{"hc_vault": [bad]}]),
        "in key groups that SOPS ignores": yaml(hc_vault=[good], key_groups=[{"hc_vault": [bad]}]),
        "beside age that is not ours": yaml(hc_vault=[bad], **private_group),
        "in other letters": yaml(hc_vault=[good], HC_VAULT=[bad]),
        "fields in other letters": yaml(hc_vault=[{**good, "Vault_Address": bad["vault_address"]}]),
        "a block in other letters": as_yaml({**craft(TREE, [], key=KEY, age=None, hc_vault=[good]), "SOPS": {"hc_vault": [bad]}}),
        "a second document": yaml(hc_vault=[good]) + b"---\n" + plain,
        "a first document without": b"a: b\n---\n" + plain,
        "twice": yaml(hc_vault=[good]) + b"sops:\n  hc_vault: []\n",
        "user information": yaml(hc_vault=[{**bad, "vault_address": f"{vault.address}@127.0.0.1:{foreign.port}"}]),
        "user information without a port": yaml(hc_vault=[{**bad, "vault_address": f"http://127.0.0.1@127.0.0.1:{foreign.port}"}]),
        "a path": yaml(hc_vault=[{**bad, "vault_address": f"{vault.address}/../x"}]),
        "a fragment": yaml(hc_vault=[{**bad, "vault_address": f"http://127.0.0.1:{foreign.port}/#{vault.address}"}]),
        "a query": yaml(hc_vault=[{**bad, "vault_address": f"http://127.0.0.1:{foreign.port}/?{vault.address}"}]),
        "a backslash": yaml(hc_vault=[{**bad, "vault_address": f"http://127.0.0.1:{foreign.port}\\@127.0.0.1:{vault.port}"}]),
        "a blank": yaml(hc_vault=[{**bad, "vault_address": f" {foreign.address}"}]),
        "a line break": yaml(hc_vault=[{**bad, "vault_address": f"{vault.address}\n@127.0.0.1:{foreign.port}"}]),
        "a dot behind the host": yaml(hc_vault=[{**bad, "vault_address": f"http://localhost.:{foreign.port}"}]),
        "another port": yaml(hc_vault=[{**bad, "vault_address": f"http://127.0.0.1:0{foreign.port}"}]),
        "https": yaml(hc_vault=[{**bad, "vault_address": f"https://127.0.0.1:{foreign.port}"}]),
        "selected by comments": yaml(hc_vault=[bad], unencrypted_suffix=None, encrypted_comment_regex="x"),
        "as an Azure key vault": yaml(azure_kv=[{"vault_url": foreign.address, "name": "a", "enc": "x", "created_at": CREATED}]),
        "a tag": plain.replace(b"hc_vault:", b"!!str hc_vault:"),
        "an alias": plain.replace(b"hc_vault:\n", b"hc_vault: &a\n").replace(b"version:", b"key_groups: *a\n  version:"),
    }  # fmt: skip


def test_a_foreign_address_is_never_contacted(vault: FakeVault, foreign: FakeVault) -> None:
    for name, document in hostile(vault, foreign).items():
        for opener in (Fallback(), fallback(), allowing(vault)):
            with pytest.raises(SopsError) as caught:
                opener.load(document, identities=[])
            assert CANARY not in f"{caught.value} {caught.value.hint}", name
            assert foreign.connections == 0, name
    assert vault.connections == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"engine_path": "sys/x/.."}, "plain names"),
        ({"engine_path": "sys", "key_name": "../../seal"}, "plain names"),
        ({"key_name": ".."}, "plain names"),
        ({"key_name": "shop?x=y"}, "plain names"),
        ({"engine_path": "a//b"}, "plain names"),
        ({"engine_path": "%2e%2e"}, "plain names"),
    ],
)
def test_no_other_call_of_an_allowed_vault_can_be_made(
    changes: dict[str, str], said: str, vault: FakeVault
) -> None:
    """A PUT to sys/seal with the server's token would seal it."""
    with pytest.raises(Malformed, match=said):
        allowing(vault).load(in_vault(vault, **changes), identities=[])
    assert vault.connections == 0


def test_an_allowed_address_in_other_letters_is_the_same_one(vault: FakeVault) -> None:
    document = in_vault(vault, vault_address=f"HTTP://LOCALHOST:{vault.port}/".replace("HTTP", "http"))
    opened = fallback("hc_vault", addresses=(f"http://localhost:{vault.port}",))
    assert opened.load(document, identities=[]).tree == OPEN
