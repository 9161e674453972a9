"""What a realm has of the other system: which of its values is which key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arcan_gitops.names import KeyName


@dataclass(frozen=True, slots=True)
class ImportedKey:
    """A value at a path of the other system, in a field of it or (None) all of it; `base64`: kept as that."""

    path: str
    field: str | None
    key: KeyName
    base64: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """All values that a realm has; `place` is how the other system takes a remoteRef's key and property."""

    keys: Sequence[ImportedKey]
    place: Callable[[str, str | None], tuple[str, str | None]]

    def single(self, key: str, property: str | None) -> ImportedKey | None:
        """The value that one entry of an ExternalSecret reads; None where it is not in the realm."""
        wanted = self.place(key, property)
        return next((one for one in self.keys if (one.path, one.field) == wanted), None)

    def fields(self, key: str) -> tuple[ImportedKey, ...]:
        """All fields of a secret."""
        path, _ = self.place(key, None)
        return tuple(one for one in self.keys if one.path == path and one.field is not None)
