"""Durations as manifests have them."""

from __future__ import annotations

from arcan_gitops.golang.text import parse_duration
from arcan_gitops.lint.nodes import Node


def is_zero(node: Node) -> bool:
    """Whether the text is a duration of zero or less."""
    if isinstance(node.scalar, str):
        try:
            return parse_duration(node.scalar) <= 0
        except ValueError:
            return False
    return node.scalar == 0 and not isinstance(node.scalar, bool)
