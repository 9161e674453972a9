"""The text of most documents, which SOPS and this project write for a tree without maps and lists.

One `KEY: ENC[...]` a line, and below them the `sops` block. What is here only ever says yes, and it says it
of texts that can mean one thing only: every line is of one of the forms below, whole, with a fixed number of
spaces before it, and holds plain scalars without a space, quotes without an escape, or a literal text without
a blank line. None, where anything is out of the ordinary, leaves the document to libyaml, and every refusal
to one place; `tests/sops/test_flat_yaml.py` holds the two together.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import yaml

from arcan_gitops.golang.yaml import WORDS
from arcan_gitops.sops.errors import SopsError
from arcan_gitops.sops.limits import DEFAULT_LIMITS, Limits
from arcan_gitops.sops.metadata import WrittenBlock
from arcan_gitops.sops.yaml_reader import Reader

_CIPHERTEXT: Final = rb"ENC\[AES256_GCM,[A-Za-z0-9+/=:,]++\]"
_LINES: Final = re.compile(rb"(?:[A-Za-z_][A-Za-z0-9_-]{0,126}: " + _CIPHERTEXT + rb"\n|#[ -~]*+\n|\n)++")
_LINE: Final = re.compile(r"(?m)^([A-Za-z_][^:]*): (.+)$")
# Of the `sops` block: a recipient and its age file, a literal text, which from sops 3.13 on comes first.
_RECIPIENT: Final = rb"recipient: (?P<recipient>age1[a-z0-9]++|ssh-(?:ed25519|rsa) [A-Za-z0-9+/=]++)\n"
_FILE: Final = rb"enc: \|\n(?P<enc>(?: {12}[!-~]++(?: [!-~]++)*+\n)++)"
_ENTRIES: Final = tuple(
    rb" {8}- " + first + rb" {10}" + second for first, second in ((_RECIPIENT, _FILE), (_FILE, _RECIPIENT))
)
_ENTRY: Final = tuple(map(re.compile, _ENTRIES))
# Fields that stand around them, the same in all files of an environment: read by libyaml, once.
_FIELDS: Final = rb"(?: {4}[a-z_]++: [!-~][ -~]*+\n)"
_BLOCK: Final = re.compile(
    rb"sops:\n"
    rb"(" + _FIELDS + rb"{0,8})"
    rb" {4}age:\n"
    rb"((?:%b)++|(?:%b)++)"
    % tuple(re.sub(rb"\?P<[a-z]+>", b"?:", each) for each in _ENTRIES)
    + rb' {4}lastmodified: "([0-9TZ:.+-]++)"\n'
    rb" {4}mac: (" + _CIPHERTEXT + rb")\n"
    rb"(" + _FIELDS + rb"{1,8})"
)
_DEPTH: Final = 4  # of an entry of `age`


def read_flat(data: bytes, limits: Limits) -> dict[str, Any] | None:
    """The tree of a document in this layout, in the order of the document; None for any other text."""
    end = data.find(b"\nsops:\n") + 1
    if _LINES.fullmatch(data, 0, end) is None:
        return None
    lines = _LINE.findall(data[:end].decode("ascii"))
    tree: dict[str, Any] = dict(lines)
    if len(tree) != len(lines) or not WORDS.isdisjoint(tree) or "sops" in tree:
        return None
    block = None
    if limits.max_depth >= _DEPTH and limits.max_leaves > 2 * data.count(b"\n"):  # no line holds more values
        block = _written(data, end)
    if block is None:
        block = _by_libyaml(data[end:], len(lines), limits)
    if block is None:
        return None
    tree["sops"] = block
    return tree


def _written(data: bytes, start: int) -> WrittenBlock | None:
    """The `sops` block that is the rest of the file, where it is of the form of `_BLOCK`."""
    match = _BLOCK.fullmatch(data, start)
    if match is None:
        return None
    before, entries, lastmodified, mac, after = match.groups()
    above, below = _fields(before), _fields(after)
    if above is None or below is None or not above.keys().isdisjoint(below):
        return None
    block = WrittenBlock((before, entries, after))
    block.update(above)
    block["age"] = _age(entries)
    block["lastmodified"] = lastmodified.decode("ascii")
    block["mac"] = mac.decode("ascii")
    block.update(below)
    return block


@lru_cache(maxsize=64)
def _age(entries: bytes) -> list[dict[str, str]]:
    entry = _ENTRY[entries.startswith(b"        - enc")]
    return [
        {name: text.replace(b" " * 12, b"").decode("ascii") for name, text in match.groupdict().items()}
        for match in entry.finditer(entries)
    ]


@lru_cache(maxsize=256)
def _fields(lines: bytes) -> dict[str, Any] | None:
    """Whole fields of the block, each on its line, or None where one holds more than a scalar or `[]`."""
    if not lines:
        return {}
    block = _by_libyaml(b"sops:\n" + lines, 0, DEFAULT_LIMITS)
    if block is None or not {"age", "lastmodified", "mac"}.isdisjoint(block):
        return None
    return block if all(type(each) in (str, bool, int) or each == [] for each in block.values()) else None


def _by_libyaml(text: bytes, values: int, limits: Limits) -> Any:
    """What `sops` is in a text that holds nothing else, beside so many values that were counted before."""
    reader = Reader(text, limits)
    try:
        [tree] = reader.documents()
        reader.count(values)
    except (SopsError, ValueError, yaml.YAMLError):  # ValueError: not UTF-8, or several documents
        return None
    return tree["sops"] if list(tree) == ["sops"] else None
