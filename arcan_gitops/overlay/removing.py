"""The text of an app's file, or of `arcan.yaml`, in which something is said to be gone: read again, and just
that is different.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import OverlayName
from arcan_gitops.overlay.app import App, parse_declaration
from arcan_gitops.overlay.ca import CaReader
from arcan_gitops.overlay.place import ManyNamespaces, Place
from arcan_gitops.overlay.removal import REMOVED, Day, RemovedApp
from arcan_gitops.overlay.settings import Settings
from arcan_gitops.yamlio.editing import RoundTrip, one_line
from arcan_gitops.yamlio.emitting import flow


def without_app(data: bytes, app: App, day: Day) -> bytes:
    """What the file of an app that goes keeps: the comment at its head, and where the app was."""
    fields: dict[str, Any] = {"name": app.name, **_place(app.place)}
    if app.overlays is not None:
        fields["overlays"] = app.overlays
    if app.left:
        fields["left"] = [
            {
                **_place(gone.place),
                **({} if gone.overlays is None else {"overlays": gone.overlays}),
                REMOVED: gone.day,
            }
            for gone in app.left
        ]
    fields[REMOVED] = day
    text = _head(data) + "".join(f"{name}: {flow(value)}\n" for name, value in fields.items())
    assert isinstance(parse_declaration(text.encode(), app.source), RemovedApp)
    return text.encode()


def without_secrets(data: bytes, app: App, names: Sequence[str], day: Day) -> bytes:
    """The file of an app that stays, with some of its Secrets removed. Raises `ArcanError`."""
    edited = RoundTrip(data, app.source)
    for field in ("secrets", "raw"):
        for entry in edited.root.get(field) or ():
            if entry["name"] in names and REMOVED not in entry:
                for other in [each for each in entry if each not in ("name", "externalSecret")]:
                    del entry[other]
                entry[REMOVED] = day.date
    return _read_again(edited.dump(), app.source)


def without_overlays(
    data: bytes, app: App, overlays: Sequence[OverlayName], known: Sequence[OverlayName], day: Day
) -> bytes:
    """The file of an app that leaves some of its overlays, and stays in others. Raises `ArcanError`."""
    stays = [name for name in known if app.goes_to(name) and name not in overlays]
    edited = RoundTrip(data, app.source)
    edited.root["overlays"] = one_line(list(map(str, stays)))
    left = edited.root.setdefault("left", [])
    for overlay in overlays:
        place = app.place_in(overlay)
        if place is not None:
            entry = {**_place(place), "overlays": [str(overlay)], REMOVED: day.date}
            left.append(one_line(entry))
    return _read_again(edited.dump(), app.source)


def _read_again(data: bytes, source: str) -> bytes:
    try:
        parse_declaration(data, source)
    except ArcanError as error:
        raise ArcanError(
            f"{source} was not changed: edited, it would be wrong: {error.message}", hint=error.hint
        ) from None
    return data


def without_overlay(data: bytes, source: str, name: OverlayName, day: Day, read_ca: CaReader) -> bytes:
    """The text of arcan.yaml in which an overlay is removed. Raises `InvalidFile`, and `ArcanError` where
    the overlay is not on lines, or on one line, of its own.
    """
    before = Settings.parse(data, source, read_ca)
    text = data.decode("utf-8")
    lines = text.split("\n")
    overlay = next(each for each in before.declared if each.name == name)
    number = int(overlay.where.rpartition(":")[2]) - 1
    edited = "\n".join([*lines[:number], *_with_day(lines[number], lines[number + 1 :], day)])
    if not _removes_just(name, edited, before, read_ca):
        raise ArcanError(
            f"{overlay.where}: overlay '{name}' is not laid out on lines of its own: it is not edited",
            hint=f"add to it yourself: {REMOVED}: {day}",
        )
    return edited.encode("utf-8")


def _with_day(line: str, rest: Sequence[str], day: Day) -> list[str]:
    """`prod: {...}` with one field more; or a line more below `prod:`."""
    head, brace, tail = line.rpartition("}")
    if brace:
        return [f"{head.rstrip()}, {REMOVED}: {day}}}{tail}", *rest]
    own = len(line) - len(line.lstrip(" "))
    below = next((each for each in rest if each.strip() and not each.strip().startswith("#")), "")
    indent = len(below) - len(below.lstrip(" "))
    return [line, " " * (indent if indent > own else own + 2) + f"{REMOVED}: {day}", *rest]


def _removes_just(name: OverlayName, edited: str, before: Settings, read_ca: CaReader) -> bool:
    try:
        after = Settings.parse(edited.encode("utf-8"), before.source, read_ca)
    except ArcanError:  # about a text that is in no file
        return False
    stay = {each.name: each.settings for each in before.declared if each.name != name}
    gone = {each.name for each in before.removed} | {name}
    return (
        {each.name: each.settings for each in after.declared} == stay
        and {each.name for each in after.removed} == gone
        and (after.defaults, after.argocd) == (before.defaults, before.argocd)
    )


def _place(place: Place) -> dict[str, Any]:
    """As the field of a file, of types that YAML libraries know."""
    if isinstance(place, Mapping):
        return {"namespace": {str(overlay): str(name) for overlay, name in place.items()}}
    if not isinstance(place, ManyNamespaces):
        return {"namespace": str(place)}
    if place.labels is not None:
        return {"namespaces": {"matchLabels": dict(place.labels)}}
    return {"namespaces": list(map(str, place.names))}


def _head(data: bytes) -> str:
    """The comment before everything else."""
    head = ""
    for line in data.decode("utf-8").splitlines(keepends=True):
        if not line.startswith("#"):
            break
        head += line
    return head
