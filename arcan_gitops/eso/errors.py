"""The three ways in which a simulation ends badly, kept apart because they mean different things."""

from __future__ import annotations

from arcan_gitops.errors import ArcanError


class EsoError(Exception):
    """An error that ESO itself would report; the text is ESO's and ends up in its Warning event.

    It is part of the result of a simulation, not a failure of the emulator, and never leaves the package.
    """


class NoSecret(EsoError):
    """The endpoint answered 404: with `deletionPolicy: Retain` an error, else "the key is gone"."""

    def __init__(self) -> None:
        super().__init__("Secret does not exist")


class NotSupported(ArcanError):
    """ESO may well do something sensible here; the emulator does not know what, and will not guess."""

    def __init__(self, what: str, *, hint: str | None = None) -> None:
        super().__init__(f"not supported by the emulator: {what}", hint=hint)


class InvalidManifest(ArcanError):
    """An object that the Kubernetes API server, or ESO's admission webhook, would refuse."""
