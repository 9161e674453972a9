"""What a YAML merge key would bring into the `sops` block, unseen by whoever checks its fields."""

from __future__ import annotations

import pytest

from arcan_gitops.sops import Malformed, encrypt, load, outline
from tests.support.realm_files import new_identity

PRIVATE, PUBLIC = new_identity()
MERGED = {
    "recipients": "<<: {age: [{recipient: age1attacker, enc: x}]}",
    "the rule that widens what is in clear": "<<: {encrypted_regex: ^Z}",
    "a MAC over the encrypted values only": "<<: {mac_only_encrypted: true}",
    "a foreign Vault": "<<: {hc_vault: [{vault_address: 'http://evil.example'}]}",
    "several maps": "<<: [{mac_only_encrypted: true}]",
}


@pytest.mark.parametrize("merged", MERGED.values(), ids=MERGED)
def test_a_merge_key_in_the_metadata_is_refused(merged: str) -> None:
    document = encrypt({"A": "a"}, recipients=[PUBLIC]).decode()
    hidden = document.replace("sops:\n", f"sops:\n    {merged}\n").encode()
    for read in (lambda: load(hidden, identities=[PRIVATE]), lambda: outline(hidden)):
        with pytest.raises(Malformed, match="merge key"):
            read()


def test_a_merge_key_in_a_recipients_entry_is_refused() -> None:
    document = encrypt({"A": "a"}, recipients=[PUBLIC]).decode()
    hidden = document.replace("- recipient:", "- <<: {recipient: age1other}\n          recipient:").encode()
    with pytest.raises(Malformed, match="merge key"):
        outline(hidden)


def test_a_yaml_version_that_sops_refuses_is_refused() -> None:
    document = encrypt({"A": "a"}, recipients=[PUBLIC])
    assert load(b"%YAML 1.1\n---\n" + document, identities=[PRIVATE]).tree == {"A": "a"}
    with pytest.raises(Malformed, match="%YAML"):
        load(b"%YAML 1.2\n---\n" + document, identities=[PRIVATE])


def test_a_message_does_not_grow_with_the_document() -> None:
    others = [new_identity()[1] for _ in range(60)]
    with pytest.raises(Exception, match="and 52 more") as caught:
        load(encrypt({"A": "a"}, recipients=others), identities=[PRIVATE])
    assert len(str(caught.value)) < 1500
