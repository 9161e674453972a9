"""A document parted into one for each key, and joined again: no ciphertext, stanza or comment is lost."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from arcan_gitops import sops
from tests.support.realm_files import decrypt_to_json, encrypt, new_identity
from tests.support.vectors import FOLDER, SUCCESS, Vector, as_json, identity

PLACE = "shop/prod"
IDENTITY, RECIPIENT = new_identity()
PATHS = [
    path
    for path in sorted(FOLDER.glob("*.vector"))
    if (vector := Vector.read(path)).expect == SUCCESS
    and vector.format == "yaml"
    and "rsa8192" not in vector.identities  # the same as an RSA key of 4,096 bits, and seconds to read
]


def parted(data: bytes, identities: sops.Identities, limits: sops.Limits) -> Mapping[str, sops.Document]:
    whole = sops.load(data, identities=identities, limits=limits)
    return {
        key: sops.load(data, identities=identities, limits=limits) for key, data in whole.part(PLACE).items()
    }


def test_every_vector_that_can_be_parted_holds_the_same_afterwards_and_joined_again() -> None:
    done, refused = 0, 0
    for path in PATHS:
        vector = Vector.read(path)
        identities = sops.Identities([identity(name) for name in vector.identities])
        whole = sops.load(vector.document, identities=identities, limits=vector.limits)
        if len(whole.trees) != 1:
            continue
        try:
            parts = parted(vector.document, identities, vector.limits)
        except sops.ClearLeaf as error:
            assert "would leave 'arcan_place' in clear" in error.message, path
            refused += 1
            continue
        for key, one in parts.items():
            assert as_json([one.tree]) == as_json([{key: whole.tree[key]}]), path
            assert (one.place, one.key_digest) == (PLACE, whole.key_digest)
            assert one.digests.keys == {key: whole.digests.keys[key]}
            assert one.metadata.groups == whole.metadata.groups
            assert one.metadata.lastmodified == whole.metadata.lastmodified
        first, *others = parts.values()
        joined = sops.load(first.join(others, PLACE), identities=identities, limits=vector.limits)
        assert as_json([joined.tree]) == as_json([whole.tree]), path
        assert joined.digests == whole.digests
        done += 1
    assert done > 60
    assert refused > 5


COMMENTED = """\
# of the file

# of A
A: one # behind it
B:
    # inside B
    - x
# of C
C: three
"""


def test_comments_go_with_their_key_and_come_back() -> None:
    data = encrypt(COMMENTED, RECIPIENT)
    held = sops.Identities([IDENTITY])
    parts = {key: one.dump() for key, one in parted(data, held, sops.Limits()).items()}
    comments = {key: text.count(b"type:comment]") for key, text in parts.items()}
    assert comments == {"A": 3, "B": 1, "C": 1}
    for key, text in parts.items():
        done = decrypt_to_json(text, IDENTITY)
        assert done.returncode == 0, (key, done.stderr)
    whole = sops.load(parts["A"], identities=held).join(
        [sops.load(parts[key], identities=held) for key in ("B", "C")], PLACE
    )
    assert whole.count(b"ENC[AES256_GCM") == data.count(b"ENC[AES256_GCM") + 1  # the place
    assert decrypt_to_json(whole, IDENTITY).returncode == 0


def test_documents_of_different_data_keys_are_not_joined() -> None:
    held = sops.Identities([IDENTITY])
    one, other = (
        sops.load(sops.encrypt({key: "x"}, recipients=[RECIPIENT], place=PLACE), identities=held)
        for key in "AB"
    )
    with pytest.raises(sops.CannotEdit, match="differ in their data key"):
        one.join([other], PLACE)


def test_a_document_whose_comments_belong_to_no_key_is_not_parted() -> None:
    data = sops.encrypt({"A": "x", "B": "y"}, recipients=[RECIPIENT], format="json")
    held = sops.Identities([IDENTITY])
    plain = sops.load(data, identities=held)
    assert sops.load(plain.part(PLACE)["A"], identities=held).tree == {"A": "x"}
    commented = data.replace(b"{", b"{ # of both\n", 1)
    with pytest.raises(sops.CannotEdit, match="comments belong to no key"):
        sops.load(commented, identities=held).part(PLACE)
