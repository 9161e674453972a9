"""An overlay like another one: its declaration, and the files of the apps that name the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import OverlayName
from arcan_gitops.overlay.app import App
from arcan_gitops.overlay.removal import REMOVED
from arcan_gitops.overlay.settings import Overlay
from arcan_gitops.yamlio import read_mapping
from arcan_gitops.yamlio.editing import RoundTrip

# What is of the other cluster alone: which keys sign there.
_OF_A_CLUSTER: Final = ("clusterKeys",)


def declaration_like(data: bytes, source: str, other: Overlay, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What the file says of the other overlay, with the changes; a mapping in them adds to a mapping.

    Raises `InvalidFile`.
    """
    overlays = read_mapping(data, source, aliases=True).optional_mapping("overlays") if data.strip() else None
    fields = overlays.optional_mapping(other.name) if overlays is not None else None
    # an overlay without a line is an environment
    found: dict[str, Any] = fields.plain() if fields is not None else {"environment": str(other.environment)}
    found.pop(REMOVED, None)
    if "cluster" in changes and changes["cluster"] != other.cluster:
        for field in _OF_A_CLUSTER:
            found.pop(field, None)
    for field, value in changes.items():
        there = found.get(field)
        both = isinstance(value, Mapping) and isinstance(there, Mapping)
        found[field] = dict(there or {}, **value) if both else value
    return found


def app_like(data: bytes, app: App, other: Overlay, added: Overlay) -> bytes | None:
    """The file of an app that goes where it goes in the other overlay; None where it does so already.

    In the cluster of the other one it gets a namespace of its own. It gets the same token in the same
    environment; another environment is no matter for the token of the first. Raises `ArcanError`.
    """
    if not app.goes_to(other.name):
        return None
    edited = RoundTrip(data, app.source)
    changed = False
    if app.overlays is not None and added.name not in app.overlays:
        edited.root["overlays"].append(str(added.name))
        changed = True
    for field in ("namespace", "token"):
        given = edited.root.get(field)
        if not isinstance(given, Mapping) or added.name in given or other.name not in given:
            continue
        if field == "token" and added.environment != other.environment:
            continue
        own = field == "namespace" and added.cluster == other.cluster
        edited.root[field][str(added.name)] = given[other.name] + (f"-{added.name}" if own else "")
        changed = True
    if not changed:
        return None
    text = edited.dump()
    try:
        now = App.parse(text, app.source)
    except ArcanError as error:
        problem = f"{app.source} is not edited, it would be wrong then: {error.message}"
        raise ArcanError(problem, hint=error.hint) from None
    assert now.goes_to(OverlayName(added.name))
    return text
