"""Private keys, parsed once for many documents, and the data keys that they opened.

Source: getsops/sops age/keysource.go (parseIdentities), age/ssh_parse.go, age/encrypted_keys.go.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from arcan_gitops.errors import some
from arcan_gitops.sops import age
from arcan_gitops.sops.errors import BadIdentity, Malformed
from arcan_gitops.sops.metadata import AgeKey
from arcan_gitops.sops.mistaken import mistaken

_PEM: Final = "-----BEGIN "
_OPENSSH: Final = "-----BEGIN OPENSSH PRIVATE KEY-----"
_NOT_NATIVE: Final = {
    "AGE-PLUGIN-": "an identity of an age plugin, which is not read natively",
    "AGE-SECRET-KEY-PQ-": "a post-quantum age identity, which is not read natively",
}
_OTHER: Final = re.compile(rf"(?:{'|'.join(_NOT_NATIVE)})[A-Z0-9-]+", re.ASCII)


class DataKeys:
    """The data keys of documents by a digest of what they were wrapped in, in memory only.

    SOPS keeps a document's wrapped keys from edit to edit, so that unwrapping them once is enough. At most
    `size` are kept; the oldest goes first.
    """

    def __init__(self, size: int = 16_384) -> None:
        self._size = size
        self._by_digest: dict[bytes, bytes] = {}

    def get(self, digest: bytes) -> bytes | None:
        """The data key that was kept under `digest`."""
        return self._by_digest.get(digest)

    def keep(self, digest: bytes, key: bytes) -> None:
        """Keep a data key."""
        while len(self._by_digest) >= self._size:
            del self._by_digest[next(iter(self._by_digest))]
        self._by_digest[digest] = key

    def __len__(self) -> int:
        return len(self._by_digest)

    def __repr__(self) -> str:
        return f"DataKeys({len(self)})"


class Identities:
    """Private keys, parsed once, with the data keys that they opened. Shows public keys only; cannot be
    pickled.
    """

    def __init__(
        self,
        texts: Sequence[str | bytes] = (),
        *,
        passphrase: str | None = None,
        keep_others: bool = False,
    ) -> None:
        """`texts` are the contents of key files. Each is one of: lines of `AGE-SECRET-KEY-1...`, comments and
        blank lines; an SSH private key (ed25519 or RSA; OpenSSH or PEM); or either, as an age file that
        `passphrase` opens.

        Identities of age plugins and post-quantum ones, which only the getsops binary can use, are refused,
        or kept for it in `others` if `keep_others`.

        Raises `BadIdentity`, which names the text by its number and the line, never the content.
        """
        if isinstance(texts, str | bytes):
            raise TypeError("identities is a sequence of texts")
        self._by_recipient: dict[str, Any] = {}
        self._others: dict[str, None] = {}
        self._keep_others = keep_others
        self._only: dict[
            str, set[str]
        ] = {}  # by recipient or other: where it may be used; not here: anywhere
        self._at: dict[frozenset[str], Identities] = {}
        self._passphrase = passphrase
        self.data_keys = DataKeys()
        self.not_used: list[str] = []  # sources that hold none, and why: told where nothing opens a document
        for number, text in enumerate(texts, start=1):
            self.add(text, f"identity source {number}")

    def add(self, text: str | bytes, name: str, only: str = "") -> bool:
        """Take one more text, which errors call `name`: all of it, or nothing. False if it holds no identity.

        `only` is a place (`REALM/ENVIRONMENT`), or the realm of places, outside of which `at` leaves it out;
        an identity that is given without one, too, is for all of them. Raises `BadIdentity`.
        """
        found, others = self._parsed(text, name)
        self._at.clear()
        for each in (*found, *others):
            known = each in self._by_recipient or each in self._others
            if only and (not known or each in self._only):
                self._only.setdefault(each, set()).add(only)
            elif not only:
                self._only.pop(each, None)
        self._by_recipient |= found
        self._others |= dict.fromkeys(others)
        return bool(found or others)

    def at(self, place: str) -> Identities:
        """Those that may be used at a place, `REALM/ENVIRONMENT`.

        They keep the data keys that they open for themselves: what one opened elsewhere is not open here.
        """
        if not self._only:
            return self
        here = {place, place.partition("/")[0]}
        away = {each: only for each, only in self._only.items() if here.isdisjoint(only)}
        kept = self._at.get(frozenset(away))
        if kept is None:
            kept = self._at[frozenset(away)] = Identities()
            kept._by_recipient = {each: key for each, key in self._by_recipient.items() if each not in away}
            kept._others = {each: None for each in self._others if each not in away}
            kept.not_used = [
                *self.not_used,
                *(
                    f"{each} (for {some(sorted(only))})"
                    for each, only in away.items()
                    if each in self._by_recipient
                ),
            ]
        return kept

    def _parsed(self, source: str | bytes, where: str) -> tuple[dict[str, Any], list[str]]:
        found: dict[str, Any] = {}
        others: list[str] = []
        try:
            data = source.encode("utf-8", "surrogateescape") if isinstance(source, str) else source
            if data.startswith((age.INTRODUCTION.encode(), age.ARMOR.encode())):
                data = _opened(data, where, self._passphrase)
            text = data.decode("utf-8")
        except UnicodeError:
            raise BadIdentity(f"{where}: not a text", hint=_WHAT_IS_ONE) from None
        if (other := mistaken(text)) is not None:
            problem = f"{where}, line {other.line}: {other.what} in the place of an identity"
            raise BadIdentity(problem, hint=other.instead or _WHAT_IS_ONE)
        if text.lstrip().startswith(_PEM):
            recipient, identity = _ssh(text.strip() + "\n", where)
            return {recipient: identity}, others
        for at, line in enumerate(text.splitlines(), start=1):
            for word in line.split("#", 1)[0].split():
                if self._keep_others and _OTHER.fullmatch(word):
                    others.append(word)
                    continue
                recipient, identity = _x25519(word, f"{where}, line {at}")
                found[recipient] = identity
        return found, others

    @property
    def recipients(self) -> tuple[str, ...]:
        """The public keys that are held, as SOPS writes them: `age1...`, `ssh-ed25519 ...`, `ssh-rsa ...`."""
        return tuple(self._by_recipient)

    @property
    def others(self) -> tuple[str, ...]:
        """The private keys that only the getsops binary can use."""
        return tuple(self._others)

    def __repr__(self) -> str:
        return f"Identities({', '.join(self._by_recipient)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("identities cannot be pickled")

    def unwrap(self, key: AgeKey) -> bytes | None:
        """What is inside `key`, or None if the identity whose recipient it names does not open it.

        No other is tried, though one might: who reads the name of a recipient in a document, in a review or
        in a rule of who may read what, must be able to rely on it. Raises `Malformed`.
        """
        file = age.unarmored(key.enc)
        if file is None:
            raise Malformed("sops.age.enc: not an ASCII-armored age file")
        named = self._by_recipient.get(" ".join(key.recipient.split()[:2]))
        if named is None:
            return None
        try:
            return age.decrypt(file, [named])
        except age.CannotOpen:
            return None


_WHAT_IS_ONE: Final = (
    "an identity is what arcan keygen or age-keygen writes, or an SSH private key (ed25519 or RSA)"
)


def _opened(file: bytes, where: str, passphrase: str | None) -> bytes:
    """The content of an identity file that is protected by a passphrase."""
    if passphrase is None:
        raise BadIdentity(
            f"{where}: is protected by a passphrase, and none is given",
            hint="give its passphrase (--passphrase-file), or the identity without one",
        )
    try:
        return age.decrypt_with_passphrase(file, passphrase)
    except age.CannotOpen:
        raise BadIdentity(f"{where}: the passphrase does not open it") from None


def _x25519(word: str, where: str) -> tuple[str, Any]:
    for prefix, what in _NOT_NATIVE.items():
        if word.startswith(prefix):
            raise BadIdentity(f"{where}: {what}", hint=_WHAT_IS_ONE)
    if not word.startswith("AGE-SECRET-KEY-1"):
        raise BadIdentity(f"{where}: not an age X25519 identity", hint=_WHAT_IS_ONE)
    try:
        return age.x25519_identity(word)
    except age.CannotOpen:
        raise BadIdentity(f"{where}: not a valid age identity", hint=_WHAT_IS_ONE) from None


def _ssh(text: str, where: str) -> tuple[str, Any]:
    """(public key line without its comment, identity) of an SSH private key."""
    data = text.encode()
    try:
        load = load_ssh_private_key if text.startswith(_OPENSSH) else load_pem_private_key
        key = load(data, password=None)
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        return public.decode(), age.ssh_identity(data, key)
    except TypeError:
        raise BadIdentity(
            f"{where}: an SSH private key that is protected by a passphrase",
            hint="take it off a copy: ssh-keygen -p -f COPY",
        ) from None
    except (ValueError, UnsupportedAlgorithm, age.CannotOpen):
        raise BadIdentity(f"{where}: not an SSH private key that age can use", hint=_WHAT_IS_ONE) from None
