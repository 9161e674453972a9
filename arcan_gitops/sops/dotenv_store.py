"""The lines of a dotenv file as a tree. Source: getsops/sops stores/dotenv/store.go, stores/flatten.go.

Nothing is quoted in this format: a value goes to the end of its line, and `\\n` in it is a line break.
"""

from __future__ import annotations

import re
from typing import Any, Final

from arcan_gitops.sops.errors import DuplicateKey, Malformed, TooLarge, empty_file, malformed
from arcan_gitops.sops.limits import Limits
from arcan_gitops.yamlio.faults import conflict

_PREFIX: Final = "sops_"
_SEPARATOR: Final = re.compile(r"__(map|list)_")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,5}", re.ASCII)
_MAX_PARTS: Final = 8  # SOPS's own names have seven at the most
_BOOLEANS: Final = {"true": True, "false": False}


def parse(data: bytes, limits: Limits) -> list[dict[str, Any]]:
    """The file as one tree, still encrypted; its `sops_...` lines as the block `sops`.

    Raises `Malformed`, `DuplicateKey` and `TooLarge`.
    """
    if len(data) > limits.max_bytes:
        raise TooLarge(f"the document has {len(data)} bytes, more than the {limits.max_bytes} allowed")
    if not data.strip():
        raise empty_file()
    tree: dict[str, Any] = {}
    flat: dict[str, str] = {}
    for at, line in enumerate(data.split(b"\n"), start=1):
        if not line or line.startswith(b"#"):
            continue
        before, equals, after = line.partition(b"=")
        if (not equals or not before) and (fault := conflict(data)) is not None:
            raise malformed(fault)
        if not equals:
            raise Malformed(f"line {at}: not of the form KEY=VALUE")
        key = before.decode("utf-8", "surrogateescape")
        value = after.decode("utf-8", "surrogateescape").replace("\\n", "\n")
        if key == "sops":
            raise Malformed(f"line {at}: the key 'sops' (other formats keep the metadata there)")
        into, name = (flat, key.removeprefix(_PREFIX)) if key.startswith(_PREFIX) else (tree, key)
        if name in into:
            raise DuplicateKey(f"line {at}: a key is given twice")
        into[name] = value
    if len(tree) + len(flat) > limits.max_leaves:
        raise TooLarge(f"the document has more than the {limits.max_leaves} values allowed")
    if flat:
        tree["sops"] = unflattened(flat)
    return [tree]


def unflattened(flat: dict[str, str]) -> dict[str, Any]:
    """The `sops` block of lines such as `age__list_0__map_enc`, which INI has too. Raises `Malformed`."""
    return _typed(_unflattened(flat))


def _unflattened(flat: dict[str, str]) -> Any:
    """`age__list_0__map_enc` as the mapping `age`, in it the list, in it the mapping with `enc`."""
    root: dict[str | int, Any] = {}
    for name, value in flat.items():
        first, *rest = _SEPARATOR.split(name)
        if len(rest) > 2 * _MAX_PARTS:
            raise Malformed(f"{_shown(name)}: nested too deep")
        path: list[str | int] = [first]
        for kind, part in zip(rest[::2], rest[1::2], strict=True):
            if kind == "list" and not _INDEX.fullmatch(part):
                raise Malformed(f"{_shown(name)}: not a list index")
            path.append(int(part) if kind == "list" else part)
        node = root
        for part in path[:-1]:
            node = node.setdefault(part, {})
            if type(node) is not dict:
                raise Malformed(f"{_shown(name)}: inside a text")
        if path[-1] in node:
            raise Malformed(f"{_shown(name)}: is a text and a group")
        node[path[-1]] = value
    return _with_lists(root)


def _with_lists(node: Any) -> Any:
    """Mappings whose keys are all numbers are lists."""
    if type(node) is not dict:
        return node
    read = {key: _with_lists(child) for key, child in node.items()}
    if not any(type(key) is int for key in read):
        return read
    if set(read) != set(range(len(read))):
        raise Malformed("sops_...: a list that is not whole")
    return [read[at] for at in range(len(read))]


def _typed(block: dict[str, Any]) -> dict[str, Any]:
    """A dotenv value is a text; these two fields are not text."""
    only = block.get("mac_only_encrypted")
    if type(only) is str and only in _BOOLEANS:
        block["mac_only_encrypted"] = _BOOLEANS[only]
    threshold = block.get("shamir_threshold")
    if type(threshold) is str and _INDEX.fullmatch(threshold):
        block["shamir_threshold"] = int(threshold)
    return block


def _shown(name: str) -> str:
    return ascii(_PREFIX + (name if len(name) <= 80 else name[:77] + "..."))
