"""From trees of ciphertext to trees of values: one walk that checks, decrypts and feeds the MAC.

Source: getsops/sops sops.go (Tree.Decrypt, walkBranch).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from arcan_gitops.errors import together
from arcan_gitops.names import PLACE_KEY
from arcan_gitops.sops.binding import require_encrypted
from arcan_gitops.sops.cipher import COMMENT, PREFIX, canonical, decrypt, mac_text, open_value, split_value
from arcan_gitops.sops.errors import ClearLeaf, EmptyLeaf, Malformed, NoKeys, SopsError, Tampered, TooLarge
from arcan_gitops.sops.limits import Limits
from arcan_gitops.sops.metadata import DEFAULT_RULE, Metadata
from arcan_gitops.sops.rules import selection
from arcan_gitops.sops.trees import Tree

_MAX_PATH: Final = 4096  # each value is authenticated together with all of its path

_MAX_FINDINGS: Final = 100  # of one document that are told


class _Enough(Exception):
    """There are enough findings. Never leaves this module."""


# (text, path) of an encrypted leaf -> its value, and the bytes that the MAC counts
OpenLeaf = Callable[[str, bytes], tuple[Any, bytes]]


class Walk:
    """Reads each leaf with `open_leaf`; what it returns is the value of the tree, and goes into the MAC."""

    def __init__(self, metadata: Metadata, open_leaf: OpenLeaf, limits: Limits) -> None:
        rule = selection(metadata.rule)
        self._matches, self._encrypts = rule.matches, rule.encrypts
        self._open = open_leaf
        self._may_be_clear = limits.may_be_clear
        self._may_be_empty = limits.may_be_empty
        self._mac_only = metadata.mac_only_encrypted
        self._key = ""  # the top-level key that is read
        self.counted: list[bytes] = []  # what the MAC is made of, in its order
        self.findings: list[SopsError] = []

    def trees(self, trees: Sequence[Tree]) -> list[Tree]:
        """The trees with every leaf read.

        Raises what `open_leaf` raises, `ClearLeaf`, `EmptyLeaf`: for several findings the first one's class.
        """
        read = self.walk(trees)
        if self.findings:
            raise together(self.findings, f"{len(self.findings)} findings:")
        return read

    def walk(self, trees: Sequence[Tree]) -> list[Tree]:
        """The same, with what is wrong in `findings`: 100 of them at the most."""
        if not any(len(tree) > (PLACE_KEY in tree) for tree in trees):
            raise NoKeys("the document holds no key", hint="add a key, or delete the file")
        read: list[Tree] = []
        with suppress(_Enough):
            read += [self._mapping(tree, "", False) for tree in trees]
        return read

    def _found(self, error: SopsError) -> None:
        self.findings.append(error)
        if len(self.findings) >= _MAX_FINDINGS:
            raise _Enough

    def _mapping(self, mapping: Tree, path: str, matched: bool) -> Tree:
        read: Tree = {}
        matches, encrypts, leaf = self._matches, self._encrypts, self._leaf
        for key, value in mapping.items():
            if not path:
                self._key = key
            at = f"{path}{key}:"
            if len(at) > _MAX_PATH + 1:
                raise TooLarge(f"key {_shown(at)}: a path of more than {_MAX_PATH} characters")
            covered = matched or matches(key)
            if not path and key == PLACE_KEY:
                try:
                    require_encrypted(value, covered is encrypts)
                except SopsError as error:
                    self._found(error)
                    read[key] = None
                    continue
            if type(value) is str:  # as nearly all are
                opened = leaf(value, at, covered is encrypts)
            else:
                opened = self._value(value, at, covered)
            if opened is COMMENT:  # SOPS writes them as items of lists; here one would hide the key
                self._found(Malformed(f"key {_shown(at)}: a comment in the place of a value"))
            read[key] = opened
        return read

    def _value(self, value: Any, path: str, matched: bool) -> Any:
        kind = type(value)
        if kind is dict:
            return self._mapping(value, path, matched)
        if kind is list:
            items = [self._value(item, path, matched) for item in value]
            return [item for item in items if item is not COMMENT]
        return self._leaf(value, path, matched is self._encrypts)

    def _leaf(self, value: Any, path: str, encrypted: bool) -> Any:
        try:
            if not encrypted:
                return self._clear(value)
            if type(value) is str and value[:15] == PREFIX:
                read, counted = self._open(value, path.encode("utf-8", "surrogateescape"))
                self.counted.append(counted)
                return read
            return self._unopened(value)
        except SopsError as error:
            self._found(error.located(f"key {_shown(path)}"))
            return None

    def _clear(self, value: Any) -> Any:
        if not self._may_be_clear(self._key):
            raise ClearLeaf(
                "is in clear",
                hint="encrypt it, or allow it by 'allowUnencrypted' in the realm's realm.yaml",
            )
        if value is not None and not self._mac_only:
            self.counted.append(canonical(value))
        return value

    def _unopened(self, value: Any) -> Any:
        """What is no `ENC[...]` where the rule wants one: empty, or refused."""
        if value is not None and value != "":
            raise ClearLeaf(
                "is in clear at a path that is encrypted",
                hint="restore the file from Git, and set the value with 'arcan secret set' or 'sops edit'; "
                "if it was ever pushed, change the secret",
            )
        if not self._may_be_empty(self._key):
            raise EmptyLeaf(
                "is empty, which the MAC does not cover: anybody could have emptied it",
                hint="give it a value, or allow it by 'allowEmpty' in the realm's realm.yaml",
            )
        return value


def read_trees(trees: Sequence[Tree], metadata: Metadata, key: bytes, limits: Limits) -> list[Tree]:
    """Decrypt with the data key, and verify the MAC. Raises `SopsError`s that name keys, never values."""
    aead = AESGCM(key)
    walk = Walk(metadata, partial(open_value, aead), limits)
    read = walk.trees(trees)
    _verify_mac(aead, metadata, walk.counted)
    return read


class _CommentRuleWalk(Walk):
    """For the rules that select by comments, of which only the getsops binary knows what they select: what
    is no `ENC[...]` counts as clear, and what is empty as emptied.
    """

    def __init__(self, metadata: Metadata, open_leaf: OpenLeaf, limits: Limits) -> None:
        super().__init__(replace(metadata, rule=DEFAULT_RULE), open_leaf, limits)

    def _leaf(self, value: Any, path: str, encrypted: bool) -> Any:
        del encrypted
        clear = value is not None and value != "" and not (type(value) is str and value[:15] == PREFIX)
        return super()._leaf(value, path, not clear)


def findings_of(trees: Sequence[Tree], metadata: Metadata, limits: Limits) -> list[SopsError]:
    """What is wrong with the leaves and the MAC, as far as that takes no key. Raises `SopsError` where the
    document holds none, or its rule is none.
    """

    def open_leaf(text: str, aad: bytes) -> tuple[Any, bytes]:
        return (COMMENT if split_value(text)[2] == "comment" else text), b""

    kind = _CommentRuleWalk if metadata.selects_by_comments else Walk
    walk = kind(metadata, open_leaf, limits)
    walk.walk(trees)
    try:
        _require_mac(metadata)
    except SopsError as error:
        return [*walk.findings, error]
    return walk.findings


def check_trees(trees: Sequence[Tree], metadata: Metadata, limits: Limits) -> None:
    """Everything about the leaves that can be checked without a key. Raises as `read_trees` does."""
    if findings := findings_of(trees, metadata, limits):
        raise together(findings, f"{len(findings)} findings:")


def _require_mac(metadata: Metadata) -> None:
    """Refuse a document whose MAC is missing or has not the form of one."""
    if not metadata.mac:
        raise Tampered("the document has no MAC")
    try:
        split_value(metadata.mac)
    except Malformed as error:
        raise Malformed(f"sops.mac: {error.message}") from None


def _verify_mac(aead: AESGCM, metadata: Metadata, counted: Sequence[bytes]) -> None:
    _require_mac(metadata)
    try:
        stored = decrypt(aead, metadata.mac, metadata.mac_aad)
    except Tampered:
        raise Tampered("the MAC does not authenticate: the document was changed without its key") from None
    # bytes, for a MAC that its key's holder made up may be any text
    computed = mac_text(counted, metadata.mac_only_encrypted)
    if type(stored) is not str or not hmac.compare_digest(canonical(stored), computed):
        raise Tampered(
            "the MAC does not match: values were added, removed, reordered or rolled back without the key",
            hint="restore the file from Git, and make the change with 'arcan secret' or with sops",
        )


def _shown(path: str) -> str:
    text = path.rstrip(":").replace(":", ".")
    return repr(text if len(text) <= 120 else text[:117] + "...")
