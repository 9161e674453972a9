"""What can be wrong with a text that Go reads."""

from __future__ import annotations

from arcan_gitops.errors import ArcanError


class GoError(Exception):
    """An error that Go's own library gives; the text is Go's, word for word."""


class NotSupported(ArcanError):
    """ESO may well do something sensible here; the emulator does not know what, and will not guess."""

    def __init__(self, what: str, *, hint: str | None = None) -> None:
        super().__init__(f"not supported by the emulator: {what}", hint=hint)
