"""The key types that take the binary, against the real one: it gets what is allowed, and contacts nobody else."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcan_gitops.getsops import AllowList, Binary, Fallback, NotAllowed, environment_for
from arcan_gitops.sops import (
    CannotEdit,
    Document,
    Identities,
    Limits,
    NoMatchingIdentity,
    SopsError,
    Tampered,
    shamir,
)
from arcan_gitops.sops.limits import DEFAULT_LIMITS
from tests.support.crafting import as_json, as_yaml, craft, wrap
from tests.support.handed_over import CREATED, KEY, OPEN, TREE, allowing, fallback, in_vault
from tests.support.realm_files import CANARY, new_identity, run_sops, sops_binary
from tests.support.vault import TOKEN, FakeVault

# Vault transit


def test_a_document_for_vault_opens_where_type_and_address_are_allowed(vault: FakeVault) -> None:
    document = allowing(vault).load(in_vault(vault), identities=[])
    assert document.tree == OPEN
    assert vault.calls == [("/v1/transit/decrypt/shop", TOKEN)]


def test_a_document_for_vault_with_a_rule_by_comments_opens_too(vault: FakeVault) -> None:
    rule = {"unencrypted_suffix": None, "unencrypted_comment_regex": "x"}
    document = as_yaml(craft(TREE, [], key=KEY, age=None, hc_vault=[vault.wrap(KEY)], **rule))
    for layout in (document, document.replace(b"sops:\n", b"# a comment\nsops: # another\n")):
        assert allowing(vault).load(layout, identities=[]).tree == OPEN


def test_without_a_binary_it_is_refused_and_the_hint_says_what_to_start_with(vault: FakeVault) -> None:
    with pytest.raises(NotAllowed, match=r"needs Vault transit \(hc_vault\)") as caught:
        Fallback().load(in_vault(vault), identities=[])
    assert caught.value.hint == (
        f"give --sops-binary PATH --allow-key-type hc_vault --allow-key-address {vault.address}"
    )
    assert vault.connections == 0


def test_the_options_of_a_refusal_are_those_that_open_it(vault: FakeVault) -> None:
    document = in_vault(vault)
    with pytest.raises(NotAllowed) as caught:
        fallback().load(document, identities=[])
    assert caught.value.hint is not None
    words = caught.value.hint.split()[1:]
    options = dict(zip(words[::2], words[1::2], strict=True))
    opened = fallback(options["--allow-key-type"], addresses=(options["--allow-key-address"],))
    assert opened.load(document, identities=[]).tree == OPEN


def test_the_token_goes_along_only_where_vault_is_allowed(vault: FakeVault) -> None:
    assert "VAULT_TOKEN" not in environment_for(["kms", "pgp"], {"VAULT_TOKEN": TOKEN}, Path("/nonexistent"))


def test_a_vault_that_refuses_says_that_no_key_opens(vault: FakeVault) -> None:
    document = in_vault(vault)
    vault.keys.clear()
    with pytest.raises(NoMatchingIdentity, match="exit status 128"):
        allowing(vault).load(document, identities=[])


def test_a_document_that_age_opens_contacts_nobody(foreign: FakeVault) -> None:
    private, public = new_identity()
    document = as_yaml(craft(TREE, [public], key=KEY, hc_vault=[foreign.wrap(KEY)]))
    for opener in (fallback(), allowing(foreign), Fallback()):
        assert opener.load(document, identities=[private]).tree == OPEN
    assert foreign.connections == 0


def test_a_key_group_of_age_and_one_of_vault_open_together(vault: FakeVault) -> None:
    private, public = new_identity()
    ours, theirs, third = shamir.split(KEY, 3, 2)
    groups = [
        {"age": [wrap(third, new_identity()[1])]},
        {"age": [wrap(ours, public)]},
        {"hc_vault": [vault.wrap(theirs)]},
    ]
    document = as_yaml(craft(TREE, [], key=KEY, age=None, key_groups=groups, shamir_threshold=2))
    opened = allowing(vault).load(document, identities=[private])
    assert opened.tree == OPEN
    assert vault.calls == [("/v1/transit/decrypt/shop", TOKEN)]


def test_a_document_that_age_opens_starts_nothing() -> None:
    private, public = new_identity()
    document = as_yaml(craft(TREE, [public], key=KEY))
    assert Fallback(Binary(Path("/nonexistent"))).load(document, identities=[private]).tree == OPEN


def test_nobody_is_contacted_where_too_few_groups_could_open(vault: FakeVault) -> None:
    theirs, other = shamir.split(KEY, 2, 2)
    groups = [{"age": [wrap(other, new_identity()[1])]}, {"hc_vault": [vault.wrap(theirs)]}]
    document = as_yaml(craft(TREE, [], key=KEY, age=None, key_groups=groups, shamir_threshold=2))
    with pytest.raises(NoMatchingIdentity, match="1 of 2 key groups could open, and 2 are needed"):
        allowing(vault).load(document, identities=[])
    assert vault.connections == 0


def test_the_binary_never_gets_our_identities(vault: FakeVault, tmp_path: Path) -> None:
    """It gets one of its own for each call, in whatever way ours were given."""
    private, public = new_identity()
    seen = tmp_path / "seen"
    program = tmp_path / "sops"
    program.write_text(f'#!/bin/sh\nenv > {seen}; exec {sops_binary()} "$@"\n')
    program.chmod(0o700)
    ini = run_sops(
        "encrypt", "--age", public, "--input-type", "ini", "--output-type", "ini", "/dev/stdin", data=b"[a]\nb = c\n"
    ).stdout  # fmt: skip
    document = Fallback(Binary(program)).load(ini, format="ini", identities=[private])
    assert document.tree == {"a": {"b": "c"}}
    assert private not in seen.read_text()
    assert "SOPS_AGE_KEY=AGE-SECRET-KEY-1" in seen.read_text()


# PGP


def test_a_document_for_pgp_opens_by_gpg(tmp_path: Path) -> None:
    """`gpg` here is a stand-in, which opens one message; the next test takes the real one."""
    gpg = tmp_path / "gpg"
    gpg.write_text("#!/bin/sh\nread message && test $message = sealed && printf %s " + "k" * 32)
    gpg.chmod(0o700)
    document = as_yaml(
        craft(TREE, [], key=b"k" * 32, age=None, pgp=[{"fp": "AB" * 20, "enc": "sealed\n", "created_at": CREATED}])
    )  # fmt: skip
    home = tmp_path / "home"
    home.mkdir()
    opener = fallback("pgp", SOPS_GPG_EXEC=str(gpg), GNUPGHOME=str(home))
    assert opener.load(document, identities=[]).tree == OPEN
    with pytest.raises(NotAllowed, match=r"needs PGP \(pgp\)"):
        fallback().load(document, identities=[])
    gpg.write_text("#!/bin/sh\nexit 2\n")
    with pytest.raises(NoMatchingIdentity):
        opener.load(document, identities=[])


# A key of nobody's, for tests: ed25519 with cv25519, without a passphrase.
PGP_KEY = """
lFgEawpQrhYJKwYBBAHaRw8BAQdALxwTfNyxTUCQ96FPaesmJVxWuEQa9H1EORAUxa9BUA0AAP9P7UaCxelqwCnp8kRhkgULYxoL
l9CMnXNEKqjHgxj2FhA1tBB0ZXN0QGV4YW1wbGUuY29tiJAEExYIADgWIQQEIcg+41HjcFyag0oXnXuBhPzZSwUCawpQrgIbAwUL
CQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRAXnXuBhPzZS5YvAP9e7mSs5IPQH+kd60r+czgpaomVqhLD+6/GQYI5IYn2bAD/Qsuk
KxI1rLF3X6V20sPqW+HZ3HL8I95//vLL7AZo9QecXQRrClCuEgorBgEEAZdVAQUBAQdAIJyX8QmrMofD6PAFW4AdcRSnQSHXQUrF
SsxR/9ghpD4DAQgHAAD/d4RodGghmAU1Zjj1Atmno0KuhYi9S/hgrMrmh8/j3dgSkIh4BBgWCAAgFiEEBCHIPuNR43BcmoNKF517
gYT82UsFAmsKUK4CGwwACgkQF517gYT82UsiCAEAoNVLLkmxwpQTHkwAI0lwOAv7re8uOHuu6w+98JpHNggA/0hVu5drzO9OesDt
KVNCtZGHSjcjEkBzCNiCm5L7Tz4P
"""
PGP_FINGERPRINT = "0421C83EE351E3705C9A834A179D7B8184FCD94B"


def test_a_document_for_pgp_opens_by_a_keyring(tmp_path: Path) -> None:
    """The real sops reads keyrings of GnuPG 1 itself: there need be no gpg on the machine."""
    home = tmp_path / "gnupg"
    home.mkdir(0o700)
    for ring in ("pubring.gpg", "secring.gpg"):
        (home / ring).write_bytes(base64.b64decode(PGP_KEY))
    encrypted = subprocess.run(
        [sops_binary(), "--config", "/dev/null", "encrypt", "--pgp", PGP_FINGERPRINT, "--input-type", "yaml",
         "--output-type", "yaml", "/dev/stdin"],
        input=f"A: {CANARY}\n".encode(), env={"GNUPGHOME": str(home)}, capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert CANARY.encode() not in encrypted
    opener = fallback("pgp", GNUPGHOME=str(home), SOPS_GPG_EXEC="/nonexistent/gpg")
    assert opener.load(encrypted, identities=[]).tree == {"A": CANARY}
    for ring in home.glob("*.gpg"):
        ring.unlink()
    with pytest.raises(NoMatchingIdentity):
        opener.load(encrypted, identities=[])


# age plugins

PLUGIN = """\
#!{python}
import base64, sys
def send(text): print(text, flush=True)
assert sys.argv[1] in ("--age-plugin=recipient-v1", "--age-plugin=identity-v1")
lines = iter(sys.stdin.readline, "")
body = ""
for line in lines:
    if line.startswith("-> done"):
        next(lines)
        break
    if line.startswith("-> wrap-file-key") or line.startswith("-> recipient-stanza"):
        body = next(lines).strip()
if "recipient" in sys.argv[1]:
    send("-> recipient-stanza 0 test\\n" + body)
else:
    send("-> file-key 0\\n" + body)
next(lines); next(lines)
send("-> done\\n")
"""


def bech32(prefix: str) -> str:
    """An empty recipient or identity of a plugin. Source: BIP 173."""
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    state = 1
    for value in [*values, *[0] * 6]:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            state ^= term if top >> bit & 1 else 0
    return prefix + "1" + "".join(alphabet[(state ^ 1) >> 5 * (5 - at) & 31] for at in range(6))


def test_a_document_for_an_age_plugin_opens_where_plugins_are_allowed(tmp_path: Path) -> None:
    program = tmp_path / "age-plugin-test"
    program.write_text(PLUGIN.format(python=sys.executable))
    program.chmod(0o700)
    path = f"{tmp_path}:{os.environ['PATH']}"
    encrypted = subprocess.run(
        [sops_binary(), "--config", "/dev/null", "encrypt", "--age", bech32("age1test"), "--input-type", "yaml", "/dev/stdin"],
        input=f"A: {CANARY}\n".encode(), env={"PATH": path, "HOME": "/nonexistent"}, capture_output=True, check=True,
    ).stdout  # fmt: skip
    held = Identities([bech32("age-plugin-test-").upper()], keep_others=True)
    with pytest.raises(NotAllowed, match=r"needs an age plugin \(age-plugin\)") as caught:
        fallback().load(encrypted, identities=held)
    assert caught.value.hint == "give --allow-key-type age-plugin"
    opener = fallback("age-plugin", PATH=path)
    assert opener.load(encrypted, identities=held).tree == {"A": CANARY}


def test_identities_for_the_binary_stay_with_us_where_they_are_not_needed(
    vault: FakeVault, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    program = tmp_path / "sops"
    program.write_text(f'#!/bin/sh\nenv > {seen}; exec {sops_binary()} "$@"\n')
    program.chmod(0o700)
    allowed = AllowList.parse(["age-plugin", "hc_vault"], [vault.address])
    held = Identities(["AGE-PLUGIN-TEST-1QQQQ"], keep_others=True)
    opener = Fallback(Binary(program, {"VAULT_TOKEN": TOKEN}), allowed)
    assert opener.load(in_vault(vault), identities=held).tree == OPEN
    assert "PLUGIN" not in seen.read_text()


# What holds for every document that the binary read


def test_what_the_binary_read_is_not_edited_and_keeps_its_bytes(vault: FakeVault) -> None:
    data = in_vault(vault)
    document = allowing(vault).load(data, identities=[])
    edits = (
        lambda: document.set("A", "x"),
        lambda: document.unset("A"),
        lambda: document.rename("A", "C"),
        lambda: document.rotate([new_identity()[1]]),
        lambda: document.updatekeys([new_identity()[1]]),
    )
    for edit in edits:
        with pytest.raises(CannotEdit, match="not edited here") as caught:
            edit()
        assert caught.value.hint == "use 'sops edit FILE'"
    assert document.dump() == data
    assert CANARY not in repr(document)


@pytest.mark.parametrize("format", ["yaml", "json"])
def test_every_type_comes_through_as_it_does_natively(format: str, vault: FakeVault) -> None:
    tree = {
        "str": ('grüß "dich" <&>\n☂\u2028\x01'.encode(), "str"),
        "number": (b"123", "str"),
        "int": (b"9223372036854775807", "int"),
        "float": (b"5", "float"),
        "big": (b"1000000000000000000000", "float"),
        "bool": (b"False", "bool"),
        "time": (b"2024-01-02T03:04:05.123456789+02:00", "time"),
        "list": [(b"a", "str"), (b"x", "comment"), {"b": (b"c", "str")}],
        "map": {"a:b": (b"m", "str"), "a: b": {}, "": []},
        "last": (b"\xef\xbf\xbd", "str"),
    }
    write = as_yaml if format == "yaml" else as_json
    private, public = new_identity()
    document = write(craft(tree, [], key=KEY, age=None, hc_vault=[vault.wrap(KEY)]))
    natively = write(craft(tree, [public], key=KEY))
    opened = allowing(vault).load(document, format=format, identities=[])
    expected = Fallback().load(natively, format=format, identities=[private])
    assert repr(opened.tree) == repr(expected.tree)
    assert opened.tree == expected.tree
    assert str(opened.tree["time"]) == str(expected.tree["time"])


def changed(vault: FakeVault, **fields: Any) -> bytes:
    return as_yaml(craft(TREE, [], key=KEY, age=None, hc_vault=[vault.wrap(KEY)], **fields))


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (lambda vault: in_vault(vault).replace(b"B:", b"C:"), Tampered),
        (
            lambda vault: b"\n".join(
                line for line in in_vault(vault).split(b"\n") if not line.startswith(b"B:")
            ),
            Tampered,
        ),
        (lambda vault: changed(vault, mac="0" * 128), Tampered),
        (lambda vault: changed(vault, mac=None), None),
    ],
)
def test_what_was_changed_without_the_key_is_refused(document: Any, error: Any, vault: FakeVault) -> None:
    data = document(vault)
    if error is None:
        assert allowing(vault).load(data, identities=[]).tree == OPEN
        return
    with pytest.raises(error) as caught:
        allowing(vault).load(data, identities=[])
    assert CANARY not in f"{caught.value} {caught.value.hint}"


def opened(document: bytes, vault: FakeVault, limits: Limits = DEFAULT_LIMITS) -> Document:
    return allowing(vault).load(document, identities=[], limits=limits)


def test_values_in_clear_and_empty_ones_are_refused_before_anybody_is_contacted(vault: FakeVault) -> None:
    tree = {**TREE, "C_unencrypted": "clear", "D": ""}
    document = as_yaml(craft(tree, [], key=KEY, age=None, clear=b"clear", hc_vault=[vault.wrap(KEY)]))
    for limits in (Limits(), Limits(allow_empty=("*",)), Limits(allow_unencrypted=("*",))):
        with pytest.raises(SopsError):
            opened(document, vault, limits)
    assert vault.connections == 0
    both = Limits(allow_empty=("D",), allow_unencrypted=("C_*",))
    assert opened(document, vault, both).tree == {**OPEN, "C_unencrypted": "clear", "D": ""}


def test_a_value_that_is_not_utf_8_is_refused_and_not_replaced(vault: FakeVault) -> None:
    tree = {"A": (b"\xff\xfe", "str")}
    document = as_yaml(craft(tree, [], key=KEY, age=None, hc_vault=[vault.wrap(KEY)]))
    with pytest.raises(SopsError, match="does not fit"):
        opened(document, vault)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["vault_address", "engine_path", "key_name", "enc", "created_at"]),
                       st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=30)))  # fmt: skip
def test_no_text_in_a_key_raises_anything_outside_sops_errors(changes: dict[str, str]) -> None:
    entry = {
        "vault_address": "https://v",
        "engine_path": "a",
        "key_name": "b",
        "enc": "c",
        "created_at": CREATED,
    }
    document = as_json(craft(TREE, [], key=KEY, age=None, hc_vault=[{**entry, **changes}]))
    for opener in (Fallback(), Fallback(Binary(Path("/nonexistent")), AllowList(frozenset(["hc_vault"]), frozenset(["https://v"])))):  # fmt: skip
        with pytest.raises(SopsError) as caught:
            opener.load(document, format="json", identities=[])
        assert str(caught.value).isprintable()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="[]sops=;#\"'`\\ \n\r:ab_0\ud800é\u2028", max_size=60) | st.binary(max_size=60))
def test_no_ini_file_raises_anything_outside_sops_errors(text: str | bytes) -> None:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    with pytest.raises(SopsError):
        Fallback().load(data, format="ini", identities=[])
