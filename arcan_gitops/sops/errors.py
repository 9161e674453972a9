"""Why a SOPS document was refused: one class for each distinction that a caller makes."""

from __future__ import annotations

from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.yamlio.faults import Fault

# The hint of what only the getsops binary can read.
NEEDS_BINARY: Final = "sops can: 'sops edit FILE' changes it, and the commands with --sops-binary read it"


class SopsError(ArcanError):
    """A SOPS document that is not served. The message names keys and recipients, never a value."""


class NotEncrypted(SopsError):
    """There is no SOPS metadata: the file is in clear."""


class Malformed(SopsError):
    """Not what SOPS writes: bad YAML, bad metadata, a value that cannot be read."""


class DuplicateKey(Malformed):
    """A mapping has a key twice: which one counts would depend on the reader."""


class Unsupported(SopsError):
    """Sound perhaps, but in need of something that is not read natively (a key type, a format, a rule)."""


class NoMatchingIdentity(SopsError):
    """None of the identities opens the document."""


class BadIdentity(SopsError):
    """A text that is not an identity."""


class BadEntry(SopsError):
    """The entry of a recipient does not open with the identity that it names, or holds another key."""


class Tampered(SopsError):
    """A value or the MAC does not authenticate: the document was changed without its key."""


class ClearLeaf(SopsError):
    """A value stands in clear where nothing allows it."""


class EmptyLeaf(SopsError):
    """An empty or null value, which no MAC covers, stands where nothing allows it."""


class NoKeys(SopsError):
    """The document holds no key at all."""


def malformed(fault: Fault) -> Malformed:
    """What is wrong with a file before its format counts."""
    return Malformed(f"line {fault.line}: {fault.problem}", hint=fault.hint)


def empty_file(line: int = 1) -> NoKeys:
    """A file that holds nothing, or comments only."""
    return NoKeys(f"line {line}: is empty", hint="restore the file from Git, or delete it")


class TooLarge(SopsError):
    """Over a limit of size, depth or number of values."""


class NoSuchKey(SopsError):
    """An edit of a key or a list item that is not there."""


class CannotEdit(SopsError):
    """An edit that the document, or the way it is laid out, does not allow. Nothing was changed."""


class BadValue(SopsError):
    """A value that SOPS cannot hold, or a key that it cannot."""
