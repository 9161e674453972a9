"""New documents, new data keys and new recipients, made without sops and read by it."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from arcan_gitops import sops
from arcan_gitops.sops import age_rsa
from tests.support.realm_files import CANARY, decrypt_to_json, encrypt, new_identity, run_sops, sops_binary
from tests.support.vectors import IDENTITIES

IDENTITY, RECIPIENT = new_identity()
OTHER_IDENTITY, OTHER = new_identity()
TREE: dict[str, Any] = {
    "A": CANARY,
    "b": {"c": 5, "d": [1.5, {"e": True, "f": "x\ny"}, ["z"]], "g": {}, "h": []},
    "t": sops.Timestamp("2024-01-02T03:04:05.12+02:00"),
}
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def load(data: bytes, identity: str = IDENTITY) -> sops.Document:
    return sops.load(data, identities=[identity], limits=sops.Limits(allow_unencrypted=("z*",)))


def ssh_recipient(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return public.decode() + " somebody@host"


def ssh_identity(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ).decode()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"rule": ("encrypted_regex", "^(A|b c): #")},
        {"rule": ("unencrypted_regex", "^z"), "mac_only": True},
        {"rule": ("encrypted_suffix", "A")},
        {"rule": ("unencrypted_suffix", "yes")},
    ],
    ids=str,
)
def test_a_new_document_is_what_sops_would_have_written(options: dict[str, Any], tmp_path: Path) -> None:
    """Byte for byte, ciphertext and key aside: so sops's next edit of it moves no line."""
    plain = 'A: x\nb:\n    c: 5\n    "y":\n        - k: z\n          l:\n            - "1"\n        - - {}\nz: clear\n'
    tree = {"A": "x", "b": {"c": 5, "y": [{"k": "z", "l": ["1"]}, [{}]]}, "z": "clear"}
    name, argument = options.get("rule", ("unencrypted_suffix", "_unencrypted"))
    config = tmp_path / "config.yaml"
    mac_only = str(options.get("mac_only", False)).lower()
    config.write_text(
        f"creation_rules:\n  - age: {RECIPIENT},{OTHER}\n    {name}: '{argument}'\n    mac_only_encrypted: {mac_only}\n"
    )
    done = run_sops(
        "--config", str(config), "encrypt", "--filename-override", "x.yaml", "/dev/stdin", data=plain.encode()
    )
    assert done.returncode == 0, done.stderr
    made = sops.encrypt(
        tree, recipients=[RECIPIENT, OTHER], limits=sops.Limits(allow_unencrypted=("*",)), **options
    )
    assert shape(made) == shape(done.stdout)
    assert decrypt_to_json(made, OTHER_IDENTITY).stdout == decrypt_to_json(done.stdout, IDENTITY).stdout


def shape(data: bytes) -> str:
    text = re.sub(r"ENC\[AES256_GCM,data:[^\]]*type:(\w+)\]", r"\1", data.decode())
    text = re.sub(r"(?m)^( *)[A-Za-z0-9+/=]{1,64}\n", "", text)  # the lines of an armored file
    return re.sub(r'lastmodified: "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"', "lastmodified", text)


def test_the_sops_set_of_a_new_document_is_three_lines(tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    made = sops.encrypt(TREE, recipients=[RECIPIENT], now=NOW)
    path.write_bytes(made)
    done = run_sops("set", str(path), '["A"]', '"new"', identity=IDENTITY)
    assert done.returncode == 0, done.stderr
    old, new = made.splitlines(), path.read_bytes().splitlines()
    assert len(old) == len(new)
    differing = [a.split(b":")[0].strip() for a, b in zip(old, new, strict=True) if a != b]
    assert differing == [b"A", b"lastmodified", b"mac"]


def test_a_new_document_holds_its_tree_for_each_recipient() -> None:
    keys = [ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)]
    made = sops.encrypt(TREE, recipients=[RECIPIENT, *map(ssh_recipient, keys)], now=NOW)
    for identity in (IDENTITY, *map(ssh_identity, keys)):
        document = load(made, identity)
        assert document.tree == TREE
        assert list(document.tree) == list(TREE)
    assert document.metadata.lastmodified == "2026-01-02T03:04:05Z"
    assert document.metadata.recipients == (RECIPIENT, *map(ssh_recipient, keys))
    assert CANARY.encode() not in made
    assert decrypt_to_json(made, IDENTITY).returncode == 0


def test_equal_values_never_have_equal_ciphertext() -> None:
    made = sops.encrypt({"a": ["x", "x"], "b": "x"}, recipients=[RECIPIENT])
    again = sops.encrypt({"a": ["x", "x"], "b": "x"}, recipients=[RECIPIENT])
    ivs = re.findall(rb"iv:([^,]+),", made + again)
    assert len(set(ivs)) == len(ivs) == 8


@pytest.mark.parametrize(
    ("tree", "options", "kind"),
    [
        ({}, {}, sops.NoKeys),
        ({"a": ""}, {}, sops.EmptyLeaf),
        ({"a": {"b": None}}, {}, sops.EmptyLeaf),
        ({"a_unencrypted": CANARY}, {}, sops.ClearLeaf),
        ({"a": CANARY}, {"rule": ("encrypted_regex", "^b")}, sops.ClearLeaf),
        ({"sops": CANARY}, {}, sops.BadValue),
        ({"a": CANARY.encode()}, {}, sops.BadValue),
        ([CANARY], {}, sops.BadValue),
        ({"<<": CANARY}, {}, sops.BadValue),
        ({"a": CANARY}, {"rule": ("encrypted_regex", "(")}, sops.Malformed),
        ({"a": CANARY}, {"rule": ("encrypted", "x")}, sops.Malformed),
        ({"a": CANARY}, {"rule": ("encrypted_comment_regex", "x")}, sops.Unsupported),
        ({"a": CANARY}, {"format": "ini"}, sops.Unsupported),
        ({"a": CANARY}, {"limits": sops.Limits(max_bytes=100)}, sops.TooLarge),
        ({"a": CANARY}, {"recipients": []}, sops.BadRecipient),
        ({"a": CANARY}, {"recipients": ["age1nonsense"]}, sops.BadRecipient),
        ({"a": CANARY}, {"recipients": ["ssh-ed25519 nonsense"]}, sops.BadRecipient),
        ({"a": CANARY}, {"recipients": [RECIPIENT, RECIPIENT]}, sops.BadRecipient),
        ({"a": CANARY}, {"recipients": [IDENTITY]}, sops.BadRecipient),
        ({"a": CANARY}, {"recipients": ["age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t"]},
         sops.Unsupported),
    ],
)  # fmt: skip
def test_what_could_not_be_loaded_is_not_written(
    tree: Any, options: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind) as caught:
        sops.encrypt(tree, **{"recipients": [RECIPIENT], **options})
    assert CANARY not in f"{caught.value} {caught.value!r} {getattr(caught.value, 'hint', '')}"
    assert IDENTITY not in f"{caught.value} {caught.value!r} {getattr(caught.value, 'hint', '')}"


COMMENTED = encrypt(
    f"# head\nA: {CANARY}\nb:\n    # in b\n    c: [one, two]\n    l:\n        # first\n        - x\n# foot\n",
    RECIPIENT,
)


def test_a_rotation_leaves_no_ciphertext_of_before_and_every_comment() -> None:
    document = load(COMMENTED)
    tree = document.tree
    document.rotate([OTHER])
    rotated = document.dump()
    assert document.tree == load(rotated, OTHER_IDENTITY).tree == tree
    assert not set(re.findall(rb"iv:([^,]+),", rotated)) & set(re.findall(rb"iv:([^,]+),", COMMENTED))
    assert shape(rotated).replace(OTHER, RECIPIENT) == shape(COMMENTED)
    with pytest.raises(sops.NoMatchingIdentity):
        load(rotated)
    theirs = [
        run_sops(
            "decrypt",
            "--input-type",
            "yaml",
            "--output-type",
            "yaml",
            "/dev/stdin",
            data=data,
            identity=identity,
        )
        for data, identity in ((COMMENTED, IDENTITY), (rotated, OTHER_IDENTITY))
    ]
    assert theirs[0].stdout == theirs[1].stdout
    assert b"    # in b\n" in theirs[1].stdout


def test_after_a_rotation_the_old_data_key_opens_nothing() -> None:
    """Who was a recipient has the old data key: its `enc` put back beside the new values is of no use."""
    document = load(COMMENTED)
    document.rotate([RECIPIENT])
    rotated = document.dump()
    armor = re.compile(rb"-----BEGIN AGE.*?-----END AGE ENCRYPTED FILE-----", re.DOTALL)
    [old] = armor.findall(COMMENTED)
    with pytest.raises(sops.Tampered):
        load(armor.sub(lambda _: old, rotated))


def test_a_rotated_document_can_be_edited_on() -> None:
    document = load(COMMENTED)
    document.set("A", "new")
    document.rotate([RECIPIENT])
    document.set(["b", "c", 2], "three")
    document.rename("b", "bb")
    out = document.dump()
    assert load(out).tree == document.tree == {"A": "new", "bb": {"c": ["one", "two", "three"], "l": ["x"]}}
    assert decrypt_to_json(out, IDENTITY).returncode == 0


def test_new_recipients_change_nothing_but_the_age_list() -> None:
    document = load(COMMENTED)
    document.updatekeys([RECIPIENT, OTHER])
    updated = document.dump()
    assert document.metadata.recipients == (RECIPIENT, OTHER)
    for identity in (IDENTITY, OTHER_IDENTITY):
        assert load(updated, identity).tree == load(COMMENTED).tree
        assert decrypt_to_json(updated, identity).returncode == 0
    start, end = b"\nsops:", b"\n    lastmodified:"
    assert updated[: updated.index(start)] == COMMENTED[: COMMENTED.index(start)]
    assert updated[updated.index(end) :] == COMMENTED[COMMENTED.index(end) :]
    document.updatekeys([OTHER])
    with pytest.raises(sops.NoMatchingIdentity):
        load(document.dump())


def test_sops_lays_out_updated_recipients_as_we_do(tmp_path: Path) -> None:
    path, config = tmp_path / "d.yaml", tmp_path / ".sops.yaml"
    path.write_bytes(COMMENTED)
    config.write_text(f"creation_rules:\n  - age: {RECIPIENT},{OTHER}\n")
    done = run_sops("--config", str(config), "updatekeys", "--yes", str(path), identity=IDENTITY)
    assert done.returncode == 0, done.stderr
    document = load(COMMENTED)
    document.updatekeys([RECIPIENT, OTHER])
    assert shape(document.dump()) == shape(path.read_bytes())


@pytest.mark.parametrize("change", ["rotate", "updatekeys"])
def test_keys_that_are_not_native_are_never_dropped(change: str) -> None:
    """A rotation for the age recipients alone would lock the others out without a word."""
    mixed = COMMENTED.replace(
        b"    lastmodified:",
        b'    pgp:\n        - created_at: "2024-01-01T00:00:00Z"\n          enc: x\n          fp: F00\n    lastmodified:',
    )
    document = load(mixed)
    with pytest.raises(sops.Unsupported, match="pgp"):
        getattr(document, change)([RECIPIENT])
    assert document.dump() == mixed


def test_sops_opens_what_is_made_for_an_rsa_key_that_pyrage_does_not_take(tmp_path: Path) -> None:
    public = (IDENTITIES / "rsa8192.pub").read_text().strip()
    (tmp_path / "made.yaml").write_bytes(sops.encrypt({"A": CANARY}, recipients=[public]))
    done = subprocess.run(
        [sops_binary(), "decrypt", "made.yaml"],
        env={"HOME": "/nonexistent", "SOPS_AGE_SSH_PRIVATE_KEY_FILE": str(IDENTITIES / "rsa8192")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == f"A: {CANARY}\n", done.stderr


def test_an_age_file_for_a_large_rsa_key_that_was_changed_does_not_open() -> None:
    key = serialization.load_ssh_private_key((IDENTITIES / "rsa8192").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    whole = age_rsa.encrypt(b"x" * 32, key.public_key())
    assert age_rsa.decrypt(whole, key) == b"x" * 32
    mac = whole.index(b"\n--- ") + 5
    for at in (
        len("age-encryption.org/v"),
        len("age-encryption.org/v1\n-> ssh-rsa "),
        200,
        mac,
        mac + 50,
        -1,
    ):
        changed = bytearray(whole)
        changed[at] ^= 1
        with pytest.raises(age_rsa.NotForKey):
            age_rsa.decrypt(bytes(changed), key)
    for short in (b"", whole[:100], whole[: mac + 44], whole[:-1]):
        with pytest.raises(age_rsa.NotForKey):
            age_rsa.decrypt(short, key)
