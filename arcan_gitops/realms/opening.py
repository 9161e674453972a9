"""The port behind which documents are opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from arcan_gitops.sops import Document, Identities, Limits
from arcan_gitops.sops.limits import DEFAULT_LIMITS


class Opener(Protocol):
    """What decrypts a document and verifies it: `arcan_gitops.sops.load`, or what can open more than that."""

    def __call__(
        self,
        data: bytes,
        *,
        format: str = "yaml",
        identities: Sequence[str] | Identities,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Document:
        """As `arcan_gitops.sops.load`. Raises `SopsError`."""
