"""What an encrypted document says of itself without any key: digests of its leaves, and its `sops` block.

A value is never kept: of what stands in clear there is a digest too, and nothing here shows one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import PLACE_KEY, EnvironmentName, InvalidName, KeyName, RealmName
from arcan_gitops.realms.sops_config import recipient_id
from arcan_gitops.sops.formats import format_named
from arcan_gitops.sops.limits import ANY_VALUES
from arcan_gitops.sops.metadata import Metadata, split

DOCUMENT_SUFFIX: Final = ".sops.yaml"
_ENCRYPTED: Final = "ENC["
_YAML: Final = format_named("yaml")
_COMMENT: Final = re.compile(r"(?m)(?:^[ \t]*|\][ \t]+)#(?!ENC\[)([^\n]*)$")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a document belongs: one environment, or, in a folder of key files, one key of it."""

    realm: str
    environment: str
    key: str | None = None

    def __str__(self) -> str:
        return f"{self.realm}/{self.environment}" + (f"/{self.key}" if self.key else "")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value as it is stored: where it is, and a digest of its text. An encrypted one is bound to its
    path.
    """

    path: Path
    digest: str
    encrypted: bool


@dataclass(frozen=True, slots=True)
class Document:
    """One document. `keys` has a digest for each top-level key, in document order, the place left out.

    `groups` are the recipients of each key group, and the types of keys that are not age's; `needed` groups
    open it. `wrapped` are digests of the data key as it is wrapped, `mac` is that of the MAC's ciphertext.
    `comments` are the clear ones: digest -> line.
    """

    leaves: tuple[Leaf, ...]
    keys: Mapping[str, str]
    groups: tuple[tuple[str, ...], ...]
    needed: int
    wrapped: frozenset[str]
    mac: str
    lastmodified: str
    rule: tuple[str, str]
    mac_only: bool
    comments: Mapping[str, int]
    bound: bool

    @property
    def recipients(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys(name for group in self.groups for name in group))

    @property
    def sealed(self) -> tuple[Any, ...]:
        """The MAC, and what it is of: the leaves in their order, the time, and what it covers.

        Without the MAC, two versions of one second would be the same where a merge mixed them.
        """
        return self.leaves, self.lastmodified, self.rule, self.mac_only, self.mac

    @property
    def clear(self) -> tuple[Path, ...]:
        """The paths of the values that stand in clear."""
        return tuple(leaf.path for leaf in self.leaves if not leaf.encrypted)


@lru_cache(maxsize=65_536)
def place_of(path: str, realms: str = "realms/") -> Place | None:
    """The place that a file is the document of: `realms/REALM/ENV.sops.yaml`,
    `realms/REALM/ENV/KEY.sops.yaml`.
    """
    if not path.startswith(realms) or not path.endswith(DOCUMENT_SUFFIX):
        return None
    parts = path.removeprefix(realms).removesuffix(DOCUMENT_SUFFIX).split("/")
    try:
        if len(parts) == 2:
            return Place(RealmName.parse(parts[0]), EnvironmentName.parse(parts[1]))
        if len(parts) == 3:
            return Place(RealmName.parse(parts[0]), EnvironmentName.parse(parts[1]), KeyName.parse(parts[2]))
    except InvalidName:
        pass
    return None


def read_document(data: bytes) -> Document:
    """The facts of a document. Raises `ArcanError` for what is none."""
    trees = _YAML.parse(data, ANY_VALUES)
    metadata = split(trees)
    leaves = tuple(leaf for tree in trees for leaf in _leaves(tree, ()))
    keys = {
        key: _digest(repr(sorted(map(repr, _leaves(value, (key,))))) if not isinstance(value, str) else value)
        for tree in trees
        for key, value in tree.items()
        if key != PLACE_KEY
    }
    return Document(
        leaves=leaves,
        keys=keys,
        groups=_groups(metadata),
        needed=metadata.groups_needed,
        wrapped=frozenset(
            _digest("".join(key.enc.split())) for group in metadata.groups for key in group.age
        ),
        mac=mac_of(metadata.mac),
        lastmodified=metadata.lastmodified,
        rule=metadata.rule,
        mac_only=metadata.mac_only_encrypted,
        comments=_comments(data),
        bound=any(PLACE_KEY in tree for tree in trees),
    )


def mac_of(text: str) -> str:
    """What `Document.mac` is for the ciphertext of a MAC."""
    return _digest(text)


def document_or_error(data: bytes) -> Document | ArcanError:
    """The facts of a document, or why it is none."""
    try:
        return read_document(data)
    except ArcanError as error:
        return error


def _groups(metadata: Metadata) -> tuple[tuple[str, ...], ...]:
    return tuple((*map(recipient_id, group.recipients), *group.others) for group in metadata.groups)


def _leaves(value: Any, path: Path) -> Iterator[Leaf]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _leaves(child, (*path, key))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _leaves(child, (*path, number))
    elif value is not None and value != "":
        encrypted = isinstance(value, str) and value.startswith(_ENCRYPTED)
        yield Leaf(path, _digest(value if isinstance(value, str) else repr(value)), encrypted)
    else:
        yield Leaf(path, "", True)  # empty, which the MAC does not cover and `realm check` judges


def _comments(data: bytes) -> dict[str, int]:
    text = data.decode("utf-8", "replace")
    found: dict[str, int] = {}
    line, at = 1, 0
    for match in _COMMENT.finditer(text):
        line, at = line + text.count("\n", at, match.start(1)), match.start(1)
        if said := match[1].strip():
            found.setdefault(_digest(said), line)
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
