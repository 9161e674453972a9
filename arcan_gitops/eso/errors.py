"""The ways in which a simulation ends badly, kept apart because they mean different things.

`NotSupported` is that of `golang`, which reads the languages that manifests are written in. An object that
the Kubernetes API server, or ESO's admission webhook, would refuse is any other `ArcanError`.
"""

from __future__ import annotations

from arcan_gitops.golang.errors import GoError, NotSupported

__all__ = ["EsoError", "NoSecret", "NotSupported"]


class EsoError(GoError):
    """An error that ESO itself would report; the text is ESO's and ends up in its Warning event.

    It is part of the result of a simulation, not a failure of the emulator, and never leaves the package.
    """


class NoSecret(EsoError):
    """The endpoint answered 404: with `deletionPolicy: Retain` an error, else "the key is gone"."""

    def __init__(self) -> None:
        super().__init__("Secret does not exist")
