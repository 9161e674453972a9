"""An overlay added to the text of `arcan.yaml`: one line more, and all other lines as they were.

Edited as text and not by a YAML editor, which moves the comments below the last overlay above the new one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import OverlayName
from arcan_gitops.overlay.ca import CaReader
from arcan_gitops.overlay.settings import Settings
from arcan_gitops.yamlio import InvalidFile
from arcan_gitops.yamlio.emitting import flow

_BLOCK: Final = re.compile(r"overlays:(?P<braces>[ \t]*\{[ \t]*\})?[ \t]*(?:#.*)?")
_INDENT: Final = "  "

# What an overlay sets, as in the file: {"environment": "prod", "server": {"url": ...}}
Declaration = Mapping[str, Any]


def declare_overlay(
    data: bytes, source: str, declarations: Mapping[OverlayName, Declaration], read_ca: CaReader
) -> bytes:
    """The text of the file with more overlays, which has been read again and has just these more.

    Raises `InvalidFile` for a file that is wrong, `ArcanError` where there is one or no place to write it.
    """
    before = Settings.parse(data, source, read_ca) if data.strip() else Settings(source=source)
    known = {overlay.name: overlay for overlay in (*before.declared, *before.removed)}
    for name in declarations:
        if name in known:
            raise ArcanError(
                f"{known[name].where}: there is an overlay '{name}' already", hint="choose another name"
            )
    lines = [f"{flow(name)}: {flow(declaration)}" for name, declaration in declarations.items()]
    edited = _insert(data.decode("utf-8"), lines)
    if edited is None or not _adds_just(declarations, edited, before, read_ca):
        raise ArcanError(
            f"{source}: 'overlays' is not laid out with each overlay on lines of its own: it is not edited",
            hint=f"lay it out so, or add yourself: {'; '.join(lines)}",
        )
    return edited.encode("utf-8")


def _adds_just(names: Collection[OverlayName], edited: str, before: Settings, read_ca: CaReader) -> bool:
    """Whether the text says what it said before, and has overlays of those names more."""
    try:
        after = Settings.parse(edited.encode("utf-8"), before.source, read_ca)
    except InvalidFile:  # about a text that is in no file
        return False
    known = {overlay.name: overlay for overlay in (*before.declared, *before.removed)}
    found = {overlay.name: overlay for overlay in (*after.declared, *after.removed)}
    unchanged = all(found.get(name) == overlay for name, overlay in known.items())
    return after.defaults == before.defaults and unchanged and set(found) == {*known, *names}


def _insert(text: str, entries: Sequence[str]) -> str | None:
    """The text with the entries as the last ones below `overlays`, or None where it has a form of its own."""
    lines = text.split("\n")
    start = next((number for number, line in enumerate(lines) if line.startswith("overlays:")), None)
    if start is None:
        added = "\n".join(["overlays:", *(_INDENT + entry for entry in entries)])
        return f"{text.rstrip()}\n\n{added}\n".lstrip("\n")
    if (block := _BLOCK.fullmatch(lines[start])) is None:
        return None
    lines[start] = lines[start].replace(block["braces"] or "", "", 1)
    last, indent = start, _INDENT
    for number in range(start + 1, len(lines)):
        stripped = lines[number].strip()
        if not stripped or stripped.startswith("#"):
            continue
        if not lines[number].startswith(" "):
            break
        if last == start:
            indent = lines[number][: -len(lines[number].lstrip(" "))]
        last = number
    return "\n".join([*lines[: last + 1], *(indent + entry for entry in entries), *lines[last + 1 :]])
