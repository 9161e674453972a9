"""Patches as a kustomization holds them."""

from __future__ import annotations

import json
from typing import Any


def target_of(group: str, version: str, kind: str, name: str) -> dict[str, str]:
    """Names are enough: the base and the components have no two of a kind that are called alike."""
    return {"group": group, "version": version, "kind": kind, "name": name}


def json_patch(target: dict[str, str], operation: str, *changes: tuple[str, object]) -> dict[str, Any]:
    """RFC 6902, as JSON in a text; a change is a JSON pointer (RFC 6901) and a value."""
    operations = [{"op": operation, "path": path, "value": value} for path, value in changes]
    return {"target": target, "patch": json.dumps(operations)}
