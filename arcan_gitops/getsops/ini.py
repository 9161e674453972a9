"""The INI files that SOPS writes, as a tree: read strictly, so that nobody reads anything else in them.

Go's ini package knows much more: continued lines, three kinds of quotes, comments behind values, sections
that inherit. SOPS writes none of it around ciphertext, and what has any of it is refused.
Source: getsops/sops stores/ini/store.go; gopkg.in/ini.v1 parser.go.
"""

from __future__ import annotations

import re
from typing import Any, Final

from arcan_gitops.sops import DuplicateKey, Limits, Malformed, TooLarge, Unsupported
from arcan_gitops.sops.dotenv_store import unflattened
from arcan_gitops.sops.trees import Tree

_METADATA: Final = "sops"
_NAMELESS: Final = "DEFAULT"  # the section of the keys before the first header
_SECTION: Final = re.compile(r"\[([^\[\]\"'`;#\s](?:[^\[\]\"'`;#]*[^\[\]\"'`;#\s])?)\]")
_ENTRY: Final = re.compile(r"(\w[^=:\"'`#;\\\[\]]*?)[ \t]*=[ \t]*(.*?)[ \t]*")
_SPECIAL: Final = re.compile(r"[\"'`#;]|\\$")


def parse(data: bytes, limits: Limits) -> list[Tree]:
    """The file as one tree, still encrypted: a mapping of texts for each section.

    Raises `Malformed`, `DuplicateKey`, `TooLarge`, and `Unsupported` for a value in a form that SOPS does not
    write for ciphertext.
    """
    if len(data) > limits.max_bytes:
        raise TooLarge(f"the document has {len(data)} bytes, more than the {limits.max_bytes} allowed")
    tree: Tree = {}
    section: dict[str, Any] = {}
    for at, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), start=1):
        text = line.strip(" \t\r")
        if not text or text[0] in "#;":
            continue
        if header := _SECTION.fullmatch(text):
            name = header[1]
            if name in tree or (name.casefold() in (_NAMELESS.casefold(), _METADATA) and name != _METADATA):
                raise DuplicateKey(f"line {at}: a section is given twice, or in other letters")
            section = tree[name] = {}
            continue
        entry = _ENTRY.fullmatch(text)
        if entry is None:
            raise Malformed(f"line {at}: neither a [section] nor of the form KEY = VALUE")
        if not tree:
            section = tree[_NAMELESS] = {}
        name, value = entry[1], entry[2]
        if name in section:
            raise DuplicateKey(f"line {at}: a key is given twice")
        if _SPECIAL.search(value):
            raise Unsupported(f"line {at}: a value with quotes, a comment or a continued line")
        section[name] = value
    if sum(map(len, tree.values())) > limits.max_leaves:
        raise TooLarge(f"the document has more than the {limits.max_leaves} values allowed")
    if _METADATA in tree:
        flat = {name: value.replace("\\n", "\n") for name, value in tree[_METADATA].items()}
        tree[_METADATA] = unflattened(flat)
    return [tree]
