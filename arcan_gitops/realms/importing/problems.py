"""What every format refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from arcan_gitops.errors import ArcanError, quoted, some
from arcan_gitops.realms.place import Place
from arcan_gitops.sops.cipher import PREFIX
from arcan_gitops.yamlio.faults import encoding_fault

STANDARD_INPUT: Final = "standard input"  # the source of what comes through a pipe
MAX_VALUE_BYTES: Final = 1024 * 1024  # k8s.io/api/core/v1 MaxSecretSize: what a Kubernetes Secret can hold


class BadImport(ArcanError):
    """A file that is not what it has to be; the message names a line or a key, never a value."""


class EncryptedImport(BadImport):
    """A file that SOPS has encrypted, where one in clear is wanted."""


def refuse_numbers(places: Sequence[str], source: str) -> None:
    """Raise `BadImport` for numbers that would be served as another text: `1.10` as 1.1, `1e3` as 1000."""
    if places:
        what = "a number" if len(places) == 1 else "numbers"
        raise BadImport(
            f"{source}: {some(places, 20)}: {what} that would be served as another text",
            hint="put it in quotes" if len(places) == 1 else "put them in quotes",
        )


def text_of(data: bytes, source: str) -> str:
    """The text of a file, without a byte order mark. Raises `BadImport`."""
    fault = encoding_fault(data)
    if fault is not None:
        raise BadImport(f"{source}:{fault.line}: {fault.problem}", hint=fault.hint)
    return data.decode("utf-8-sig")


def refuse_encrypted(values: Mapping[str, Any], source: str, place: Place) -> None:
    """Raise `EncryptedImport` for a SOPS document: its ciphertext would become the value."""
    encrypted = any(isinstance(value, str) and value.startswith(PREFIX) for value in values.values())
    if "sops" in values or encrypted:
        hint = f"take it as it is: {place.command('import sops', file_of(source))}"
        if source != STANDARD_INPUT:
            clear = place.import_clear("-")
            hint += f"; or through sops: sops decrypt --output-type json {quoted(source)} | {clear}"
        raise EncryptedImport(f"{source}: is encrypted by SOPS", hint=hint)


def file_of(source: str) -> str:
    """What names the source on a command line."""
    return "-" if source == STANDARD_INPUT else source
