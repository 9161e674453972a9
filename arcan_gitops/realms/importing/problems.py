"""What every format refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.sops.cipher import PREFIX

MAX_VALUE_BYTES: Final = 1024 * 1024  # k8s.io/api/core/v1 MaxSecretSize: what a Kubernetes Secret can hold


class BadImport(ArcanError):
    """A file that is not what it has to be; the message names a line or a key, never a value."""


def text_of(data: bytes, source: str) -> str:
    """The text of a file, without a byte order mark. Raises `BadImport`."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadImport(f"{source}: is not UTF-8 text") from None


def refuse_encrypted(values: Mapping[str, Any], source: str) -> None:
    """Raise `BadImport` for a SOPS document: its ciphertext would become the value."""
    encrypted = any(isinstance(value, str) and value.startswith(PREFIX) for value in values.values())
    if "sops" in values or encrypted:
        raise BadImport(
            f"{source}: is encrypted by SOPS",
            hint="decrypt it into a pipe: sops decrypt FILE | arcan secret import REALM - --env ENV",
        )
