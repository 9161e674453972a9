"""What opens an age file for one X25519 key says what pyrage says, or nothing."""

from __future__ import annotations

import random
from base64 import b64encode

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from arcan_gitops.sops import age, age_x25519
from arcan_gitops.sops.age_file import NotForKey, derived, header_mac, sealed

TEXT, RECIPIENT = age.new_identity()
_, IDENTITY = age.x25519_identity(TEXT)
PLAIN = b"canary of the data key, 32 bytes"
FILES = [pyrage.encrypt(PLAIN, [pyrage.x25519.Recipient.from_str(RECIPIENT)]) for _ in range(4)]


def native(file: bytes) -> bytes | None:
    """What it holds, or None where it is left to pyrage."""
    try:
        return IDENTITY.decrypt(file)
    except NotForKey:
        return None


def by_pyrage(file: bytes) -> bytes | None:
    try:
        return pyrage.decrypt(file, [IDENTITY.other])
    except Exception:
        return None


def base64(data: bytes) -> bytes:
    return b64encode(data).rstrip(b"=")


def crafted(
    above: bytes = b"",
    below: bytes = b"",
    *,
    version: bytes = b"v1",
    share: bytes | None = None,
    key: int = 16,
) -> bytes:
    """A file with a right MAC over a header with these lines above and below the stanza for the identity."""
    ephemeral = X25519PrivateKey.generate()
    public = X25519PrivateKey.from_private_bytes(age_x25519._bytes_of(TEXT.lower())).public_key()
    own = public.public_bytes_raw()
    sent = ephemeral.public_key().public_bytes_raw() if share is None else share
    secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(own)) if share is None else bytes(32)
    file_key = b"k" * key
    wrapping = derived(secret, b"age-encryption.org/v1/X25519", sent + own)
    body = ChaCha20Poly1305(wrapping).encrypt(bytes(12), file_key, None)
    stanza = b"-> X25519 %s\n%s\n" % (base64(sent), base64(body))
    header = b"age-encryption.org/%s\n%s%s%s---" % (version, above, stanza, below)
    nonce = b"n" * 16
    return b"%s %s\n%s%s" % (
        header,
        base64(header_mac(file_key, header)),
        nonce,
        sealed(file_key, nonce, PLAIN),
    )


def test_a_file_as_pyrage_and_age_write_it_is_opened_here() -> None:
    assert [native(file) for file in FILES] == [PLAIN] * len(FILES)
    assert native(crafted()) == by_pyrage(crafted()) == PLAIN
    grease = b"-> x-grease a b\n%s\n\n" % base64(b"g" * 48)
    assert native(crafted(below=grease)) == by_pyrage(crafted(below=grease)) == PLAIN


def test_a_changed_file_is_what_it_is_to_pyrage() -> None:
    rng = random.Random(20261128)
    opened = 0
    for _ in range(1500):
        file = rng.choice(FILES)
        at = rng.randrange(len(file))
        new = rng.choice(
            [rng.randbytes(1), b"", b"\n", b"=", b"A", bytes([file[at] ^ (1 << rng.randrange(8))])]
        )
        changed = file[:at] + new + file[at + rng.choice([0, 1, 1, 1, 2]) :]
        found = native(changed)
        assert found in (None, by_pyrage(changed))
        opened += found is not None
        assert found is None or changed == file
    assert opened < 100


@pytest.mark.parametrize(
    "file",
    [
        crafted(share=bytes(32)),  # a share that makes every secret zero
        crafted(share=b"\x01" + bytes(31)),
        crafted(key=15),
        crafted(key=32),
        crafted(version=b"v2"),
        crafted(above=b"-> x-grease\n\n"),
        crafted(below=b"-> x-grease\nAB\n"),  # bits that base64 leaves out are set
        crafted(below=b"-> x-grease\nA\n"),
        crafted(below=b"-> x-grease\n%s\n" % (b"A" * 64)),  # no last line that is not full
        crafted(below=b"-> x-grease  two\n\n"),
        crafted(below=b"-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10\n\n"),
        crafted(below=b"-> X25519 AAAA\n\n"),
        crafted(below=b"-> other\n\n"),
        crafted() + b"x",
        crafted()[:-1],
        crafted().replace(b"\n", b"\r\n"),
        b"",
    ],
)
def test_what_is_of_another_form_is_left_to_pyrage(file: bytes) -> None:
    assert native(file) is None


def test_a_file_for_another_key_is_not_opened() -> None:
    _, other = age.x25519_identity(age.new_identity()[0])
    for file in FILES:
        with pytest.raises(NotForKey):
            other.decrypt(file)
        with pytest.raises(age.CannotOpen):
            age.decrypt(file, [other])


def test_what_is_left_to_pyrage_is_opened_by_it() -> None:
    both = pyrage.encrypt(
        PLAIN, [pyrage.x25519.Recipient.from_str(each) for each in (age.new_identity()[1], RECIPIENT)]
    )
    assert native(both) is None
    assert age.decrypt(both, [IDENTITY]) == PLAIN


def test_an_identity_shows_nothing_of_its_key() -> None:
    assert repr(IDENTITY) == "Identity([redacted])"
