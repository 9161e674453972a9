"""The formats of documents that are native: how each is read, edited, and made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from arcan_gitops.sops import (
    binary_store,
    dotenv_store,
    edit_dotenv,
    edit_json,
    emit_yaml,
    json_store,
    yaml_store,
)
from arcan_gitops.sops.edit_flow import RawPath, Splice
from arcan_gitops.sops.edit_yaml import YamlText
from arcan_gitops.sops.errors import NEEDS_BINARY, Unsupported
from arcan_gitops.sops.limits import Limits
from arcan_gitops.sops.trees import Tree


class Text(Protocol):
    """The text of one document: each edit gives splices, and `spliced` makes the edited file of them."""

    def data(self) -> bytes:
        """The bytes of the file."""

    def spliced(self, splices: Iterable[Splice]) -> bytes:
        """The bytes of the file with all splices made; they must not overlap."""

    def replace(self, path: RawPath, value: Any) -> list[Splice]:
        """Another value at a path that exists."""

    def insert(self, path: RawPath, key: str | None, value: Any) -> list[Splice]:
        """A new key at the end of the mapping at `path`, or (`key` is None) an item at the end of a list."""

    def remove(self, path: RawPath) -> list[Splice]:
        """A key or an item less."""

    def rename(self, path: RawPath, name: str) -> list[Splice]:
        """Another name for the key at `path`."""

    def comments(self) -> Iterator[tuple[int, int, str]]:
        """(start, end, `ENC[...]`) of each encrypted comment."""


@dataclass(frozen=True, slots=True)
class Format:
    """`parse` reads a file as trees, `text` is what edits one, `make` writes (sealed tree, `sops` block);
    `beside_age` is what SOPS puts into a key group that has age keys only.
    """

    parse: Callable[[bytes, Limits], list[Tree]]
    text: Callable[[bytes], Text]
    make: Callable[[Tree, Tree], str]
    beside_age: Mapping[str, Any]


def _yaml(tree: Tree, block: Tree) -> str:
    return "\n".join(emit_yaml.block({**tree, "sops": block}, 0, emit_yaml.STEP))


def _json(tree: Tree, block: Tree) -> str:
    return edit_json.write({**tree, "sops": block})


def _dotenv(tree: Tree, block: Tree) -> str:
    return "\n".join(edit_dotenv.lines_of(tree, block))


_FORMATS: Final = {
    "yaml": Format(yaml_store.parse, YamlText, _yaml, {"hc_vault": []}),
    "json": Format(json_store.parse, edit_json.JsonText, _json, {"hc_vault": None}),
    "dotenv": Format(dotenv_store.parse, edit_dotenv.DotenvText, _dotenv, {}),
    "binary": Format(binary_store.parse, edit_json.JsonText, _json, {"hc_vault": None}),
}


def format_named(name: str) -> Format:
    """The format "yaml", "json", "dotenv" or "binary". Raises `Unsupported` for others."""
    if name not in _FORMATS:
        raise Unsupported(f"the format '{name}' is not read natively", hint=NEEDS_BINARY)
    return _FORMATS[name]
