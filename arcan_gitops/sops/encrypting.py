"""From values to ciphertext: what stands in a document for each value, its MAC, and a new document.

Source: getsops/sops aes/cipher.go, sops.go (Tree.Encrypt), stores/stores.go.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from arcan_gitops.golang.yaml import Timestamp
from arcan_gitops.sops.cipher import PREFIX, canonical, split_value
from arcan_gitops.sops.errors import CannotEdit, ClearLeaf, EmptyLeaf
from arcan_gitops.sops.limits import Limits
from arcan_gitops.sops.rules import selection
from arcan_gitops.sops.trees import Path, shown

Stash = dict[tuple[bytes, str, bytes], str]  # (AAD, type, canonical bytes) -> the ciphertext that is there
_IV_BYTES: Final = 32
_TAG_BYTES: Final = 16
_TYPES: Final = {str: "str", Timestamp: "time", int: "int", float: "float", bool: "bool"}


class Sealer:
    """Encrypts the values of one document with its data key, by its rule and within what it may hold.

    `limits` are those that the document was loaded with. Cannot be pickled.
    """

    __slots__ = ("_aead", "_limits", "_selection")

    def __init__(self, key: bytes, rule: tuple[str, str], limits: Limits) -> None:
        self._aead = AESGCM(key)
        self._selection = selection(rule)
        self._limits = limits

    def encrypts(self, path: Path) -> bool:
        """Whether the rule has the leaves at the path, and below it if nothing more matches, encrypted."""
        matched = any(self._selection.matches(step) for step in path if isinstance(step, str))
        return matched is self._selection.encrypts

    def seal(self, value: Any, path: Path, stash: Stash | None = None) -> Any:
        """What the document holds for a value at a path: `ENC[...]` for a leaf that the rule encrypts.

        What `stash` has for the same value at the same path is used again. Raises `ClearLeaf` and
        `EmptyLeaf` for what `load` would refuse, `BadValue` for what SOPS cannot hold.
        """
        if isinstance(value, dict):
            return {key: self.seal(child, (*path, key), stash) for key, child in value.items()}
        if isinstance(value, list):
            return [self.seal(child, (*path, at), stash) for at, child in enumerate(value)]
        if not self.encrypts(path):
            if not self._limits.may_be_clear(str(path[0])):
                raise ClearLeaf(
                    f"key {shown(path)}: would be written in clear by the document's rule",
                    hint="use another key name, or allow it by 'allowUnencrypted' in the realm's realm.yaml",
                )
            return value
        if value is None or value == "":
            if not self._limits.may_be_empty(str(path[0])):
                raise EmptyLeaf(
                    f"key {shown(path)}: would be empty, which the MAC does not cover",
                    hint="give it a value, or allow it by 'allowEmpty' in the realm's realm.yaml",
                )
            return value
        kind, plain, bound = _TYPES[type(value)], canonical(value), aad(path)
        known = stash.get((bound, kind, plain)) if stash else None
        return known or self.encrypt(plain, kind, bound)

    def encrypt(self, plain: bytes, kind: str, bound: bytes) -> str:
        """`ENC[...]` of a type, with an IV of its own; `bound` is the AAD."""
        iv = os.urandom(_IV_BYTES)
        sealed = self._aead.encrypt(iv, plain, bound)
        data, tag = sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]
        return f"{PREFIX}data:{_base64(data)},iv:{_base64(iv)},tag:{_base64(tag)},type:{kind}]"

    def comment(self, text: str, bound: bytes) -> bytes | None:
        """The text inside an encrypted comment, or None if the AAD is not its own."""
        iv, sealed, _ = split_value(text)
        try:
            return self._aead.decrypt(iv, sealed, bound)
        except InvalidTag:
            return None

    def stash(self, sealed: Any, value: Any, path: Path) -> Stash:
        """The ciphertexts of a part of the document by what they hold."""
        return {
            (aad(at), _TYPES[type(leaf)], canonical(leaf)): text
            for text, leaf, at in self._leaves(sealed, value, path)
            if isinstance(text, str) and text.startswith(PREFIX) and self.encrypts(at)
        }

    def bared(self, sealed: Any, tree: Any, to: Sealer) -> list[str]:
        """The top-level keys with values that are encrypted here, and that `to` would write in clear."""
        found = (
            str(path[0])
            for _, leaf, path in self._leaves(sealed, tree, ())
            if leaf is not None and leaf != "" and self.encrypts(path) and not to.encrypts(path)
        )
        return list(dict.fromkeys(found))

    def _leaves(self, sealed: Any, value: Any, path: Path) -> Iterator[tuple[Any, Any, Path]]:
        if isinstance(value, dict):
            for key, child in value.items():
                yield from self._leaves(sealed[key], child, (*path, key))
        elif isinstance(value, list):
            at = self.positions(sealed, path)
            for index, child in enumerate(value):
                yield from self._leaves(sealed[at[index]], child, (*path, index))
        else:
            yield sealed, value, path

    def positions(self, sealed: list[Any], path: Path) -> list[int]:
        """Where the items of a list stand among those of the document, some of which are comments."""
        encrypted = self.encrypts(path)
        return [at for at, item in enumerate(sealed) if not (encrypted and is_comment(item))]

    def reseal(self, sealed: Any, value: Any, path: Path, to: Sealer, new: Path) -> Any:
        """A part of the document as `to` writes it at the path `new`; encrypted comments come along.

        Raises as `seal`, and `CannotEdit` where an encrypted comment would come to stand in clear.
        """
        if isinstance(value, dict):
            return {
                key: self.reseal(sealed[key], child, (*path, key), to, (*new, key))
                for key, child in value.items()
            }
        if not isinstance(value, list):
            return to.seal(value, new)
        items = iter(value)
        resealed = []
        encrypted = self.encrypts(path)
        for at, item in enumerate(sealed):
            if encrypted and is_comment(item):
                if not to.encrypts(new):
                    raise CannotEdit(f"key {shown(path)}: holds encrypted comments, and would be in clear")
                resealed.append(self.recrypt_comment(item, aad(path), to, aad(new)) or item)
            else:
                resealed.append(self.reseal(item, next(items), (*path, at), to, (*new, at)))
        return resealed

    def recrypt_comment(self, text: str, bound: bytes, to: Sealer, new: bytes) -> str | None:
        """An encrypted comment as `to` writes it with the AAD `new`, or None if `bound` is not its AAD."""
        plain = self.comment(text, bound)
        return None if plain is None else to.encrypt(plain, "comment", new)


def aad(path: Path) -> bytes:
    """What a value is bound to: its keys, each followed by ":"; all items of a list share the list's."""
    return "".join(f"{step}:" for step in path if isinstance(step, str)).encode("utf-8", "surrogateescape")


def is_comment(item: Any) -> bool:
    """Whether an item of a list at an encrypted path is one of SOPS's encrypted comments."""
    return type(item) is str and item.startswith(PREFIX) and item.endswith(",type:comment]")


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")
