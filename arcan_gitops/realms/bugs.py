"""A bug that one file brings out: that file's problem, and never the other realms'."""

from __future__ import annotations

from pathlib import Path

from arcan_gitops.errors import ArcanError, place_of


def bug(path: Path, error: Exception) -> ArcanError:
    """What is said of it: its type and where it was raised, never its text."""
    problem = f"{path}: unexpected {type(error).__name__} at {place_of(error)}"
    return ArcanError(problem, hint="this is a bug; please report the line above")
