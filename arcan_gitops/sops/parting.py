"""A document parted into one for each key, and such documents joined again: no ciphertext changes.

The lines of a key come along as they stand, with the comments above it; so does the `sops` block, but for its
MAC. Only the place, which binds a document, is new in each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from arcan_gitops.names import PLACE_KEY
from arcan_gitops.sops import emit_yaml
from arcan_gitops.sops.binding import require_rule
from arcan_gitops.sops.cipher import mac_text
from arcan_gitops.sops.creating import reread
from arcan_gitops.sops.edit_yaml import YamlText
from arcan_gitops.sops.encrypting import Sealer
from arcan_gitops.sops.errors import CannotEdit, SopsError, Unsupported
from arcan_gitops.sops.formats import Text, format_named
from arcan_gitops.sops.limits import Limits
from arcan_gitops.sops.metadata import Metadata
from arcan_gitops.sops.nodes import scalars
from arcan_gitops.sops.trees import Tree, same, same_document

_SOPS: Final = "sops"
_YAML: Final = format_named("yaml")
_REWRITE: Final = "let sops rewrite the document with 'sops edit', and try again"


@dataclass(frozen=True, slots=True)
class Sealed:
    """One verified document: its text, its trees as stored and as read, and what seals its values."""

    text: Text = field(repr=False)
    raw: Tree = field(repr=False)
    tree: Tree = field(repr=False)
    metadata: Metadata
    sealer: Sealer = field(repr=False)
    key: bytes = field(repr=False)
    limits: Limits


def part(whole: Sealed, place: str) -> dict[str, bytes]:
    """The document of each key, bound to a place: the same data key, wrapped as before, and `lastmodified`.

    Raises `ClearLeaf` where the rule would leave the place in clear, `CannotEdit` for a layout whose comments
    belong to no key, `Unsupported` for other formats than YAML.
    """
    lines = _lines_of(whole)
    block = None if lines is None else lines[_SOPS]
    sealed_place = _place(whole, place)
    return {
        key: _composed(
            whole, sealed_place, {key: whole.raw[key]}, None if lines is None else [lines[key]], block
        )
        for key in whole.tree
        if key != PLACE_KEY
    }


def join(parts: Sequence[Sealed], place: str) -> bytes:
    """One document of the keys of several, in their order, with the data key that all of them have.

    `lastmodified` is the newest of theirs. Raises `CannotEdit` where they do not have one data key, wrapped
    alike, and one rule, and as `part`.
    """
    first = parts[0]
    if not all(_alike(first, other) for other in parts):
        raise CannotEdit("the documents differ in their data key, or in who can open them")
    newest = max(parts, key=lambda each: datetime.fromisoformat(each.metadata.mac_aad.decode()))
    sealed: Tree = {}
    pieces: list[str] = []
    block: str | None = ""
    for each in parts:
        keys = [key for key in each.raw if key not in (PLACE_KEY, _SOPS)]
        sealed |= {key: each.raw[key] for key in keys}
        lines = _lines_of(each)
        if lines is None:
            block = None
            continue
        pieces += [lines[key] for key in keys]
        if each is newest and block is not None:
            block = lines[_SOPS]
    return _composed(newest, _place(newest, place), sealed, pieces, block)


def _alike(one: Sealed, other: Sealed) -> bool:
    """Whether they differ in no more than their values."""
    own = ("mac", "lastmodified", "version")

    def shared(of: Sealed) -> Mapping[str, Any]:
        return {name: value for name, value in of.raw[_SOPS].items() if name not in own}

    return one.key == other.key and same(
        dict(sorted(shared(one).items())), dict(sorted(shared(other).items()))
    )


def _place(whole: Sealed, place: str) -> str:
    """The ciphertext of a place: the one that is there, or a new one."""
    require_rule(whole.metadata.rule)
    if whole.tree.get(PLACE_KEY) == place:
        return str(whole.raw[PLACE_KEY])
    return str(whole.sealer.seal(place, (PLACE_KEY,)))


def _composed(
    whole: Sealed, place: str, sealed: Tree, pieces: Sequence[str] | None, block: str | None
) -> bytes:
    """The document of some sealed values, by the data key and `sops` block of `whole`; of the lines that are
    there, if each is known.
    """
    metadata = whole.metadata
    tree = {PLACE_KEY: place, **sealed}
    _, counted = reread(tree, metadata, whole.key, whole.limits)
    mac = whole.sealer.encrypt(mac_text(counted, metadata.mac_only_encrypted), "str", metadata.mac_aad)
    wanted = {**tree, _SOPS: {**whole.raw[_SOPS], "mac": mac}}
    made = None if block is None else _from_lines(wanted, pieces or (), block, whole.limits)
    if made is None and not any("#" in piece for piece in pieces or ()):
        made = f"{_YAML.make(tree, wanted[_SOPS])}\n".encode("utf-8", "surrogateescape")
    if made is None or not _holds(made, wanted, whole.limits):
        raise CannotEdit("it is laid out in a way that cannot be taken over", hint=_REWRITE)
    return made


def _from_lines(wanted: Tree, pieces: Sequence[str], block: str, limits: Limits) -> bytes | None:
    """The text made of the lines that are there, or None where they do not go together."""
    newline = "\r\n" if "\r\n" in block else "\n"
    place = [f"{line}{newline}" for line in emit_yaml.entry(PLACE_KEY, wanted[PLACE_KEY], 0, emit_yaml.STEP)]
    data = "".join((*place, *pieces, block)).encode()
    try:
        _YAML.parse(data, limits)
        text = YamlText(data)
        made = text.spliced(text.replace((_SOPS, "mac"), wanted[_SOPS]["mac"]))
    except SopsError:
        return None
    return made if _holds(made, wanted, limits) else None


def _holds(made: bytes, wanted: Tree, limits: Limits) -> bool:
    try:
        [read] = _YAML.parse(made, limits)
        return same_document(read, wanted)
    except (SopsError, KeyError, ValueError):
        return False


def _lines_of(whole: Sealed) -> dict[str, str] | None:
    """The lines of each top-level key, the comment lines above it among them; None for a document in flow
    style, whose keys have no lines of their own. No comment is left out: those at the place and at the end
    of the keys go with the key beside them. Raises `CannotEdit` where a comment belongs to no key.
    """
    text = whole.text
    if not isinstance(text, YamlText):
        raise Unsupported("only documents in YAML are parted and joined")
    lines = None if text.root.flow else _parted(text)
    if lines is None and _has_comments(text):
        raise CannotEdit("its comments belong to no key, as it is laid out", hint=_REWRITE)
    return lines


def _parted(text: YamlText) -> dict[str, str] | None:
    names = list(text.root.entries)
    starts = [text.line_start(at) for at in text.starts(text.root)]
    if any(text.text[line:at].strip() for line, at in zip(starts, text.starts(text.root), strict=True)):
        return None
    ends = [text.end_of_entry(text.root.entries[name][1]) for name in names]
    found: dict[str, str] = {}
    above, last, at = "", None, 0
    for name, start, end in zip(names, starts, ends, strict=True):
        above += _comments(text.text[at:start])
        own = text.text[start:end]
        if name == PLACE_KEY:
            pass  # the comments above it go on to the next key
        elif name == _SOPS and last is not None:
            found[last] += above
            above = ""
            found[name] = own
        else:
            found[name], above, last = above + own, "", name
        at = end
    below = above + _comments(text.text[at:])
    if last is not None:
        found[last] += below
    return {name: _ended(lines, text.newline) for name, lines in found.items()}


def _ended(lines: str, newline: str) -> str:
    return lines if lines.endswith("\n") else lines + newline


def _comments(between: str) -> str:
    """The comment lines of what stands between two keys: blank lines and `---` are none."""
    return "".join(
        line if line.endswith("\n") else f"{line}\n"
        for line in between.splitlines(keepends=True)
        if line.lstrip().startswith("#")
    )


def _has_comments(text: YamlText) -> bool:
    at, rest = 0, []
    for scalar in sorted(scalars(text.root), key=lambda scalar: scalar.start):
        rest.append(text.text[at : scalar.start])
        at = max(at, scalar.end)
    return "#" in "".join((*rest, text.text[at:]))
