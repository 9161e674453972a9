"""Private keys of every kind that opens documents natively, and what they leave behind."""

from __future__ import annotations

import base64
import contextlib
import gc
import pickle
import subprocess
import textwrap
from pathlib import Path

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcan_gitops import sops
from arcan_gitops.errors import ArcanError
from arcan_gitops.sops import age
from arcan_gitops.sops.identities import DataKeys
from tests.support.crafting import wrap
from tests.support.realm_files import encrypt, new_identity, run_sops
from tests.support.vectors import IDENTITIES, identity

ENTRY = wrap(b"k" * 32, sops.Identities([identity("alice")]).recipients[0])
PASSPHRASE = "correct horse battery staple"


def ssh_key(folder: Path, *options: str) -> Path:
    path = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-C", "me@here", "-f", str(path), *options], check=True)
    return path


def public(path: Path) -> str:
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


# What is an identity


@pytest.mark.parametrize("name", ["ed25519", "rsa"])
def test_an_ssh_key_shows_its_public_key(name: str) -> None:
    held = sops.Identities([identity(name)])
    assert held.recipients == (public(IDENTITIES / name),)
    assert repr(held) == f"Identities({held.recipients[0]})"


@pytest.mark.parametrize(
    "options", [["-t", "rsa", "-b", "2048", "-m", "PEM"], ["-t", "rsa", "-b", "2048"], ["-t", "ed25519"]]
)
def test_an_ssh_key_opens_what_sops_encrypts_to_it(options: list[str], tmp_path: Path) -> None:
    path = ssh_key(tmp_path, "-N", "", *options)
    document = encrypt("a: x\n", path.with_suffix(".pub").read_text().strip())
    assert "me@here" in document.decode()  # the comment is a part of the recipient that sops writes
    assert sops.load(document, identities=[path.read_text()]).tree == {"a": "x"}


@pytest.mark.parametrize(
    "options", [["-t", "ed25519"], ["-t", "rsa", "-b", "2048", "-m", "PEM"], ["-t", "rsa", "-b", "2048"]]
)
def test_an_ssh_key_with_a_passphrase_is_refused_and_says_what_to_do(
    options: list[str], tmp_path: Path
) -> None:
    path = ssh_key(tmp_path, "-N", "hunter2hunter2", *options)
    with pytest.raises(sops.BadIdentity, match="protected by a passphrase") as caught:
        sops.Identities([path.read_text()])
    assert "ssh-keygen -p" in str(caught.value.hint)


def test_an_ssh_key_of_a_kind_that_age_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(sops.BadIdentity, match="not an SSH private key that age can use"):
        sops.Identities([ssh_key(tmp_path, "-N", "", "-t", "ecdsa").read_text()])


@pytest.fixture(scope="module")
def protected() -> bytes:
    """An identity file as `age -p` writes it; made once, for scrypt is slow on purpose."""
    text = f"# created by age-keygen\n{identity('alice')}\n".encode()
    file: bytes = pyrage.passphrase.encrypt(text, PASSPHRASE)
    return file


@pytest.mark.parametrize("armored", [True, False])
def test_a_file_with_a_passphrase_opens_by_it(armored: bool, protected: bytes) -> None:
    lines = textwrap.wrap(base64.b64encode(protected).decode(), 64)
    text = "\n".join([age.ARMOR, *lines, age.ARMOR.replace("BEGIN", "END"), ""])
    held = sops.Identities([text if armored else protected], passphrase=PASSPHRASE)
    assert held.recipients == (ENTRY["recipient"],)


def test_a_file_with_a_passphrase_is_refused_without_it_and_with_another(protected: bytes) -> None:
    with pytest.raises(sops.BadIdentity, match="none is given"):
        sops.Identities([protected])
    with pytest.raises(sops.BadIdentity, match="does not open") as caught:
        sops.Identities([protected], passphrase="another secret")
    assert "another secret" not in f"{caught.value} {caught.value.hint}"


def test_many_identities_come_as_lines_words_and_comments() -> None:
    """As in SOPS_AGE_KEY, where blanks separate them too."""
    one, two, three = new_identity(), new_identity(), new_identity()
    text = f"# first\r\n{one[0]}\r\n\n  {two[0]}\t{three[0]}  # both\n"
    assert sops.Identities([text]).recipients == (one[1], two[1], three[1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("AGE-PLUGIN-YUBIKEY-1QQQQ", "age plugin"),
        ("AGE-SECRET-KEY-PQ-1QQQQ", "post-quantum"),
        ("AGE-SECRET-KEY-1QQQQ", "not a valid age identity"),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nQQQQ\n-----END OPENSSH PRIVATE KEY-----\n",
            "not an SSH private key",
        ),
        ("age-encryption.org/v1\nQQQQ", "passphrase"),
        ("\ud800", "not a text"),
    ],
)
def test_what_is_no_identity_is_refused_without_being_shown(text: str, said: str) -> None:
    with pytest.raises(sops.BadIdentity, match=said) as caught:
        sops.Identities(["", text])
    assert "identity source 2" in caught.value.message
    assert "QQQQ" not in f"{caught.value} {caught.value.hint}"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("\ufeffAGE-SECRET-KEY-1QQQQ", "line 1: a byte order mark", "without one"),
        (f"# created\n{new_identity()[1]}\n", "line 2: a recipient", "AGE-SECRET-KEY-1..."),
        ("age1pq1qqqqqqqqqqqq", "line 1: a recipient", "AGE-SECRET-KEY-1..."),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@here\n", "an SSH public key", "without .pub"),
        ("ssh-rsa AAAAB3NzaC1yc2E", "an SSH public key", "without .pub"),
        ("ecdsa-sha2-nistp256 AAAAE2Vj x", "an SSH public key", "without .pub"),
        ("-----BEGIN PUBLIC KEY-----\nQQQQ\n", "a public key", "age-keygen"),
        ("-----BEGIN CERTIFICATE-----\nQQQQ\n", "a certificate", "age-keygen"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nQQQQ\n", "a PGP key", "--allow-key-type pgp"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\nQQQQ\n", "in PuTTY's format", "puttygen"),
    ],
)
def test_what_is_given_in_the_place_of_an_identity_is_named(text: str, said: str, hint: str) -> None:
    with pytest.raises(sops.BadIdentity) as caught:
        sops.Identities([text])
    assert said in caught.value.message
    assert hint in str(caught.value.hint)
    assert "QQQQ" not in f"{caught.value} {caught.value.hint}"


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["", "AGE-SECRET-KEY-1", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "-----BEGIN RSA PRIVATE KEY-----\n",
                        "age-encryption.org/v1\n-> ", "-----BEGIN AGE ENCRYPTED FILE-----\n"]), st.text() | st.binary())  # fmt: skip
def test_no_identity_text_raises_anything_outside_arcan_error(start: str, rest: str | bytes) -> None:
    text = start + rest if isinstance(rest, str) else start.encode() + rest
    with contextlib.suppress(ArcanError):
        sops.Identities([text], passphrase=PASSPHRASE)


@settings(max_examples=40, deadline=None)
@given(st.data())
@pytest.mark.parametrize("name", ["alice", "ed25519", "rsa"])
def test_no_mutated_identity_raises_anything_outside_arcan_error(name: str, data: st.DataObject) -> None:
    text = identity(name).encode()
    at = data.draw(st.integers(0, len(text) - 1))
    mutated = text[:at] + data.draw(st.binary(max_size=8)) + text[at + data.draw(st.integers(0, 8)) :]
    try:
        sops.Identities([mutated])
    except ArcanError as error:
        assert text.decode().splitlines()[1] not in f"{error} {error.hint}"


# What is inside a wrapped key


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_mutated_wrapped_key_opens_to_the_same_or_not_at_all(data: st.DataObject) -> None:
    """Also where the mutation is behind the armor, in what age itself reads."""
    held = list(sops.Identities([identity("alice")])._by_recipient.values())
    file = age.unarmored(ENTRY["enc"])
    assert file is not None
    assert age.decrypt(file, held) == b"k" * 32
    at = data.draw(st.integers(0, len(file) - 1))
    mutated = file[:at] + data.draw(st.binary(max_size=8)) + file[at + data.draw(st.integers(0, 8)) :]
    with contextlib.suppress(age.CannotOpen):
        assert age.decrypt(mutated, held) == b"k" * 32


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\n\n", 2),
        lambda text: text.replace("BEGIN AGE", "BEGIN  AGE"),
        lambda text: "x\n" + text,
        lambda text: text + "x",
        lambda text: " " + text,
        lambda text: text.replace("\n", " \n"),
        lambda text: text.rstrip() + " ",
        lambda text: text.replace("\n-----END", "=\n-----END"),
        lambda text: text[: text.index("-----END")],
        lambda text: text.replace("YWdl", "YWd\u0131"),
        lambda text: "age-encryption.org/v1\n",
        lambda text: "",
    ],
)
def test_an_armor_that_age_would_not_write_is_none(change: object) -> None:
    changed = change(ENTRY["enc"])  # type: ignore[operator]
    assert changed != ENTRY["enc"]
    assert age.unarmored(changed) is None


def test_blanks_around_an_armor_do_not_matter() -> None:
    assert age.unarmored("\n \n" + ENTRY["enc"].strip() + "\n \n") == age.unarmored(ENTRY["enc"])


def test_a_key_wrapped_by_a_passphrase_opens_for_nobody(protected: bytes) -> None:
    with pytest.raises(age.CannotOpen):
        age.decrypt(protected, list(sops.Identities([identity("alice")])._by_recipient.values()))


def test_a_panic_of_rust_is_an_error_like_others() -> None:
    class PanicException(BaseException):
        """As pyo3 names it; the real one can be raised by Rust only."""

    def panics() -> None:
        raise PanicException("with what it was given")

    with pytest.raises(age.CannotOpen) as caught:
        age._call(panics)
    assert caught.value.__suppress_context__
    with pytest.raises(KeyboardInterrupt):
        age._call(interrupted)


def interrupted() -> None:
    raise KeyboardInterrupt


# The data keys that identities keep


def test_an_edit_finds_the_data_key_kept_and_a_rotation_does_not(tmp_path: Path) -> None:
    private, recipient = new_identity()
    held = sops.Identities([private])
    path = tmp_path / "d.yaml"
    path.write_bytes(encrypt("a: x\nb: y\n", recipient))
    sops.load(path.read_bytes(), identities=held)
    assert len(held.data_keys) == 1
    for arguments, kept in (
        (["set", str(path), '["a"]', '"new"'], 1),
        (["rotate", "--in-place", str(path)], 2),
        (["rotate", "--in-place", "--add-age", new_identity()[1], str(path)], 3),
    ):
        done = run_sops(*arguments, identity=private)
        assert done.returncode == 0, done.stderr
        assert sops.load(path.read_bytes(), identities=held).tree == {"a": "new", "b": "y"}
        assert len(held.data_keys) == kept


def test_a_kept_data_key_opens_nothing_for_other_identities() -> None:
    private, recipient = new_identity()
    document = encrypt("a: x\n", recipient)
    sops.load(document, identities=sops.Identities([private]))
    with pytest.raises(sops.NoMatchingIdentity):
        sops.load(document, identities=sops.Identities([new_identity()[0]]))


def test_a_kept_data_key_does_not_replace_the_mac() -> None:
    private, recipient = new_identity()
    held = sops.Identities([private])
    document = encrypt("a: x\nb: y\n", recipient)
    sops.load(document, identities=held)
    with pytest.raises(sops.Tampered):
        sops.load(document[document.index(b"b:") :], identities=held)


def test_data_keys_are_bounded_and_the_oldest_goes() -> None:
    keys = DataKeys(size=2)
    for number in range(3):
        keys.keep(bytes([number]), b"k%d" % number)
    assert len(keys) == 2
    assert keys.get(b"\0") is None
    assert keys.get(b"\2") == b"k2"
    assert repr(keys) == "DataKeys(2)"


def test_data_keys_go_with_their_identities() -> None:
    private, recipient = new_identity()
    held = sops.Identities([private])
    sops.load(encrypt("a: x\n", recipient), identities=held)
    [key] = held.data_keys._by_digest.values()
    del held
    gc.collect()
    assert not [thing for thing in gc.get_objects() if type(thing) is dict and any(value is key for value in thing.values())
                and thing is not globals()]  # fmt: skip


def test_identities_cannot_be_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(sops.Identities([identity("alice")]))
