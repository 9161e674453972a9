"""Edits of one decrypted, verified document: each is whole or does not happen, and touches nothing else.

An edit is made three times: on the values, on the ciphertext and on the text. It is refused unless the text
reads back as that ciphertext. Untouched ciphertext is never encrypted again: like SOPS, an edit keeps the IV
of every value that did not change.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final, NoReturn

from arcan_gitops.errors import ArcanError, SeveralErrors, some
from arcan_gitops.golang.yaml import Timestamp
from arcan_gitops.names import PLACE_KEY
from arcan_gitops.sops.cipher import mac_text
from arcan_gitops.sops.creating import reread
from arcan_gitops.sops.edit_flow import RawPath, Splice
from arcan_gitops.sops.encrypting import Sealer, aad
from arcan_gitops.sops.errors import (
    CannotEdit,
    ClearLeaf,
    NoKeys,
    NoSuchKey,
    SopsError,
    TooLarge,
    Unsupported,
)
from arcan_gitops.sops.formats import Format, Text
from arcan_gitops.sops.limits import Limits
from arcan_gitops.sops.metadata import KEY_TYPES, RULES, Metadata, split
from arcan_gitops.sops.parting import Sealed
from arcan_gitops.sops.trees import (
    Path,
    Tree,
    check_key,
    get,
    plain_value,
    put,
    renamed,
    same,
    same_document,
    shown,
    sorted_keys,
    without,
)
from arcan_gitops.sops.wrapping import Recipients, Wrapped, key_fields

_KEY_FIELDS: Final = frozenset({*KEY_TYPES, "key_groups", "shamir_threshold"})
_SELECTING: Final = frozenset({*RULES, "mac_only_encrypted"})


class Editing:
    """The state of one document that is edited: what it was read from, and its data key in memory only."""

    def __init__(
        self,
        data: bytes,
        format: Format,
        trees: list[Tree],
        metadata: Metadata,
        key: bytes,
        limits: Limits,
    ) -> None:
        """Of what was just decrypted and whose MAC was just verified, and of nothing else."""
        self.trees, self.metadata = trees, metadata
        self._data, self._format, self._key, self._limits = data, format, key, limits
        self._text: Text | None = None
        self._raw: Tree = {}
        self._stale = False  # the values changed, and the MAC did not yet

    def __repr__(self) -> str:
        return "Editing([redacted])"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a document and its data key cannot be pickled")

    @property
    def key_digest(self) -> bytes:
        """`Document.key_digest`."""
        return hashlib.sha256(self._key).digest()

    def editing(self) -> Editing:
        """Itself: `Content` of a document that can be edited."""
        return self

    # The edits.

    def set(self, path: Path, value: Any) -> None:
        """`Document.set`."""
        self._begin()
        path, value = self._reach(path, plain_value(value, path))
        parent = get(self.trees[0], path[:-1])
        if isinstance(parent, dict):
            check_key(path[-1], path[:-1])
        last = path[-1]
        exists = last in parent if isinstance(parent, dict) else int(last) < len(parent)
        raw_parent = self._raw_path(path[:-1])
        sealer = self._sealer
        if not exists:
            sealed = sealer.seal(value, path)
            key = last if isinstance(last, str) else None
            splices = self._opened.insert(raw_parent, key, sealed)
            raw_path = (*raw_parent, last if key is not None else len(get(self._raw, raw_parent)))
            self._commit(splices, put(self.trees[0], path, value), put(self._raw, raw_path, sealed))
            return
        old = parent[last]
        if same(old, value, exact=True):
            return
        raw_path = self._raw_path(path)
        sealed = sealer.seal(value, path, sealer.stash(get(self._raw, raw_path), old, path))
        splices = self._opened.replace(raw_path, sealed)
        self._commit(splices, put(self.trees[0], path, value), put(self._raw, raw_path, sealed))

    def update(self, values: Mapping[str, Any]) -> None:
        """`Document.update`."""
        self._begin()
        tree, raw = self.trees[0], self._raw
        splices: list[Splice] = []
        problems: list[ArcanError] = []
        for key, given in values.items():
            try:
                value, made = self._top_level(key, given)
            except ArcanError as error:
                problems.append(error)
                continue
            if made is not None:
                sealed, new = made
                splices += new
                tree, raw = put(tree, (key,), value), put(raw, (key,), sealed)
        if problems:
            raise SeveralErrors(f"{len(problems)} key(s) cannot be set; nothing was changed:", problems)
        if splices:
            self._commit(splices, tree, raw)

    def _top_level(self, key: str, given: Any) -> tuple[Any, tuple[Any, list[Splice]] | None]:
        """The value, and its ciphertext with the splices that put it in; None where it is there already."""
        check_key(key, ())
        path, value = (key,), plain_value(given, (key,))
        if key not in self.trees[0]:
            sealed = self._sealer.seal(value, path)
            return value, (sealed, self._opened.insert((), key, sealed))
        old = self.trees[0][key]
        if same(old, value, exact=True):
            return value, None
        sealed = self._sealer.seal(value, path, self._sealer.stash(self._raw[key], old, path))
        return value, (sealed, self._opened.replace(path, sealed))

    def unset(self, path: Path) -> None:
        """`Document.unset`."""
        self._begin()
        self._require(path)
        if len(path) == 1 and len(self.trees[0]) == 1 + (PLACE_KEY in self.trees[0]):
            raise NoKeys(f"key {shown(path)}: is the document's only key", hint="delete the file instead")
        raw_path = self._raw_path(path)
        splices = self._opened.remove(raw_path)
        self._commit(splices, without(self.trees[0], path), without(self._raw, raw_path))

    def rename(self, path: Path, name: str) -> None:
        """`Document.rename`."""
        self._begin()
        self._require(path)
        parent, old = path[:-1], path[-1]
        if not isinstance(old, str):
            raise CannotEdit(f"key {shown(path)}: an item of a list has no name")
        check_key(name, parent)
        if name == old:
            return
        siblings = get(self.trees[0], parent)
        if name in siblings:
            raise CannotEdit(f"key {shown((*parent, name))}: is there already", hint="unset it first")
        raw_path = self._raw_path(path)
        sealer = self._sealer
        raw, value = get(self._raw, raw_path), siblings[old]
        resealed = sealer.reseal(raw, value, path, sealer, (*parent, name))
        text = self._opened
        splices = [*text.rename(raw_path, name), *self._leaf_splices(raw, resealed, raw_path)]
        bound, moved = aad(path), aad((*parent, name))
        bounds = {at: moved + at.removeprefix(bound) for at in _containers(value, path)}
        splices += self._comment_splices(sealer, bounds, sealer)
        self._commit(
            splices,
            renamed(self.trees[0], path, name, value),
            renamed(self._raw, raw_path, name, resealed),
        )

    def rotate(
        self,
        to: Recipients | Wrapped,
        rule: tuple[str, str],
        mac_only: bool,
        allow_clear: Sequence[str],
    ) -> None:
        """`Document.rotate`."""
        self._begin()
        wrapped = self._wrapped(to, None)
        key = wrapped.key
        splices, block = self._rewrapped(wrapped, _selecting(rule, mac_only))
        old, new = self._sealer, Sealer(key, rule, self._limits)
        tree = self.trees[0]
        bared = [name for name in old.bared(self._raw, tree, new) if name not in allow_clear]
        if bared:
            raise ClearLeaf(
                f"{rule[0]}: {some(list(map(repr, bared)))} would stand in clear, and "
                f"{'is' if len(bared) == 1 else 'are'} encrypted now",
                hint="if that is meant: "
                + " ".join(f"--allow-clear {shlex.quote(name)}" for name in (*allow_clear, *bared)),
            )
        resealed = {name: old.reseal(self._raw[name], tree[name], (name,), new, (name,)) for name in tree}
        raw = {name: block if name == "sops" else resealed[name] for name in self._raw}
        for name in tree:
            splices += self._leaf_splices(self._raw[name], resealed[name], (name,))
        splices += self._comment_splices(old, {at: at for at in (b":", *_containers(tree, ()))}, new)
        self._commit(splices, tree, raw)
        self._key, self._sealer = key, new

    def updatekeys(self, to: Recipients | Wrapped) -> Wrapped:
        """`Document.updatekeys`."""
        self._begin()
        wrapped = self._wrapped(to, self._key)
        if wrapped.key != self._key:
            raise CannotEdit("the stanzas are those of another data key")
        selecting = _selecting(self.metadata.rule, self.metadata.mac_only_encrypted)
        splices, block = self._rewrapped(wrapped, selecting)
        self._commit(splices, self.trees[0], {**self._raw, "sops": block}, stale=self._stale)
        return wrapped

    def _wrapped(self, to: Recipients | Wrapped, key: bytes | None) -> Wrapped:
        """A data key, a new one unless `key` is given, wrapped for recipients; or what is wrapped already."""
        return to if isinstance(to, Wrapped) else Wrapped.new(to, to.needed(self.metadata), key)

    def sealed(self) -> Sealed:
        """What `Document.part` and `Document.join` take over. Raises `CannotEdit`."""
        self._begin()
        return Sealed(
            self._opened, self._raw, self.trees[0], self.metadata, self._sealer, self._key, self._limits
        )

    def dump(self, now: datetime | None = None) -> bytes:
        """`Document.dump`."""
        if self._text is None and len(self.trees) != 1:
            return self._data
        self._begin()
        counted = self._verified()
        if self._stale:
            moment = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            block = self._raw["sops"]
            mac = mac_text(counted, self.metadata.mac_only_encrypted)
            plain = type(block["lastmodified"]) is Timestamp  # without quotes, as some tools leave it
            fields = {
                "lastmodified": Timestamp(moment) if plain else moment,
                "mac": self._sealer.encrypt(mac, "str", moment.encode()),
            }
            splices = [new for name in fields for new in self._opened.replace(("sops", name), fields[name])]
            self._commit(splices, self.trees[0], {**self._raw, "sops": {**block, **fields}}, stale=False)
        return self._opened.data()

    # What they are made of.

    @cached_property
    def _sealer(self) -> Sealer:
        return Sealer(self._key, self.metadata.rule, self._limits)

    @property
    def _opened(self) -> Text:
        assert self._text is not None
        return self._text

    def _begin(self) -> None:
        """Read the text, which only a document that is edited needs."""
        if self._text is not None:
            return
        if len(self.trees) != 1:
            raise CannotEdit(
                f"the file has {len(self.trees)} YAML documents, and one is edited", hint="split the file"
            )
        [self._raw] = self._format.parse(self._data, self._limits)
        self._text = self._format.text(self._data)

    def _commit(self, splices: Sequence[Splice], tree: Tree, raw: Tree, *, stale: bool = True) -> None:
        """Take over the edited text if it holds exactly what it should; else raise `CannotEdit`."""
        data = self._opened.spliced(splices)
        try:
            [read] = self._format.parse(data, self._limits)
            whole = same_document(read, raw)
        except TooLarge:
            raise
        except (SopsError, KeyError, ValueError):  # no document, not its `sops` block, several documents
            whole = False
        if not whole:
            raise CannotEdit(
                "the format, or the way the document is laid out, does not allow the edit",
                hint="let sops rewrite the document with 'sops edit', and try again",
            )
        self._text = self._format.text(data)
        self.metadata = split([dict(raw)])
        self.trees, self._raw, self._stale = [tree], raw, stale

    def _verified(self) -> list[bytes]:
        """What the MAC counts, after all of the ciphertext was read again and found to be the tree."""
        sealed = {name: value for name, value in self._raw.items() if name != "sops"}
        read, counted = reread(sealed, self.metadata, self._key, self._limits)
        if not same([read], self.trees):
            raise CannotEdit("the tree was changed by other ways than set, unset and rename")
        return counted

    def _rewrapped(self, wrapped: Wrapped, selecting: Tree) -> tuple[list[Splice], Tree]:
        """The splices, and the `sops` block, of a data key that is wrapped anew, with the fields `selecting`
        that say what is encrypted.

        A list that is there already is replaced, and nothing beside it; for other fields than it has (a flat
        list becomes groups, another rule) the whole block is written as SOPS writes it.
        """
        others = self.metadata.other_key_types
        if others:
            raise Unsupported(
                f"the document has keys of the types {', '.join(others)}, which are not wrapped natively",
                hint="give it its keys with the getsops binary: 'sops updatekeys' or 'sops rotate'",
            )
        fields = key_fields(wrapped.groups, wrapped.needed, self._format.beside_age)
        old: Tree = self._raw["sops"]
        before = _selecting(self.metadata.rule, self.metadata.mac_only_encrypted)
        if same(before, selecting):
            block = {**fields, **{name: value for name, value in old.items() if name not in _KEY_FIELDS}}
        else:
            kept = {name: old[name] for name in old if name not in _KEY_FIELDS | _SELECTING}
            version = kept.pop("version")
            block = {**fields, **kept, **selecting, "version": version}
        if same(old, sorted_keys(old)):  # which is how SOPS writes it from 3.13 on
            block = sorted_keys(block)
        if not same(before, selecting) or {name for name in old if name in _KEY_FIELDS and old[name]} != set(
            fields
        ):
            return self._opened.replace(("sops",), block), block
        changed = [name for name in fields if not same(old[name], block[name])]
        splices = [new for name in changed for new in self._opened.replace(("sops", name), block[name])]
        return splices, {name: block.get(name, value) for name, value in old.items()}

    def _leaf_splices(self, old: Any, new: Any, path: RawPath) -> Iterator[Splice]:
        """The splices for all leaves that differ between two trees of one shape."""
        if isinstance(new, dict):
            for key, child in new.items():
                yield from self._leaf_splices(old[key], child, (*path, key))
        elif isinstance(new, list):
            for at, child in enumerate(new):
                yield from self._leaf_splices(old[at], child, (*path, at))
        elif not same(old, new):
            yield from self._opened.replace(path, new)

    def _comment_splices(self, old: Sealer, bounds: Mapping[bytes, bytes], to: Sealer) -> Iterator[Splice]:
        """The splices for the comments in maps and lists: the AAD of each, and what it is to be."""
        for start, end, text in self._opened.comments():
            for bound, new in bounds.items():
                recrypted = old.recrypt_comment(text, bound, to, new)
                if recrypted is not None:
                    yield Splice(start, end, recrypted)
                    break

    def _reach(self, path: Path, value: Any) -> tuple[Path, Any]:
        """The path cut off behind its first new key, the maps below that put around the value."""
        node: Any = self.trees[0]
        for at, step in enumerate(path):
            below = path[at + 1 :]
            if isinstance(node, dict) and isinstance(step, str):
                if step not in node:
                    for name in reversed(below):
                        check_key(name, path)
                        value = {name: value}
                    return path[: at + 1], value
            elif isinstance(node, list) and isinstance(step, int):
                if step == len(node) and not below:
                    return path, value
                if not 0 <= step < len(node):
                    raise NoSuchKey(f"key {shown(path[: at + 1])}: the list has {len(node)} items")
            else:
                raise NoSuchKey(f"key {shown(path[:at])}: has no {shown((step,))}, for it is {_kind(node)}")
            node = node[step]
        return path, value

    def _require(self, path: Path) -> None:
        reached, _ = self._reach(path, None)
        parent = get(self.trees[0], reached[:-1])
        missing = reached[-1] not in parent if isinstance(parent, dict) else int(reached[-1]) >= len(parent)
        if missing:
            raise NoSuchKey(f"key {shown(reached)}: is not there")

    def _raw_path(self, path: Path) -> RawPath:
        """The path in the document as it is stored, where comments are items of lists too."""
        raw: list[str | int] = []
        node: Any = self._raw
        for at, step in enumerate(path):
            raw.append(self._sealer.positions(node, path[:at])[step] if isinstance(step, int) else step)
            node = node[raw[-1]]
        return tuple(raw)


def _selecting(rule: tuple[str, str], mac_only: bool) -> Tree:
    """The fields of the `sops` block that say what is encrypted, and what the MAC covers."""
    return {rule[0]: rule[1], **({"mac_only_encrypted": True} if mac_only else {})}


def _containers(value: Any, path: Path) -> set[bytes]:
    """The AADs of the maps and lists of a part of the document: those of the comments in them."""
    if not isinstance(value, (dict, list)):
        return set()
    found = {aad(path)} if path else set()
    for key, child in value.items() if isinstance(value, dict) else enumerate(value):
        found |= _containers(child, (*path, key))
    return found


def _kind(node: Any) -> str:
    return "a map" if isinstance(node, dict) else "a list" if isinstance(node, list) else "a single value"
