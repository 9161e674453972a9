"""The errors of this package."""

from __future__ import annotations

from arcan_gitops.errors import ArcanError


class GoError(Exception):
    """An error that Go's own library gives; the text is Go's, word for word."""


class NotSupported(ArcanError):
    """Something that Go can do and this package does not reproduce: refused, never guessed."""

    def __init__(self, what: str, *, hint: str | None = None) -> None:
        super().__init__(f"not supported by the emulator: {what}", hint=hint)
