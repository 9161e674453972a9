"""The key that seals the chains of the audit log: a file with a line of at least 32 characters."""

from __future__ import annotations

import hmac
import os
import secrets
import shlex
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from arcan_gitops.errors import ArcanError

LEAST_BYTES: Final = 32
_MOST_BYTES: Final = 4096
_PURPOSE: Final = b"arcan audit key id"


class BadAuditKey(ArcanError):
    """The file of the key holds none, or cannot be read."""


@dataclass(frozen=True, slots=True)
class AuditKey:
    """`id` tells keys apart, and says nothing of the key."""

    secret: bytes = field(repr=False)
    id: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """The key in the file, without white space around it. Raises `BadAuditKey`; `FileNotFoundError`
        where there is none.
        """
        try:
            with path.open("rb") as file:
                secret = file.read(_MOST_BYTES + 1).strip()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise BadAuditKey(f"{path}: the key of the audit log cannot be read: {error.strerror}") from None
        if not LEAST_BYTES <= len(secret) <= _MOST_BYTES:
            raise BadAuditKey(
                f"{path}: is no key of an audit log: it has {len(secret)} bytes, and needs {LEAST_BYTES}",
                hint=f"make one: openssl rand -hex 32 > {shlex.quote(str(path))}",
            )
        return cls(secret, hmac.new(secret, _PURPOSE, sha256).hexdigest()[:16])


def make_key(path: Path) -> None:
    """Write a new key, mode 0600, in a folder that is made with mode 0700. Raises `OSError`, also where there
    is a file at the path already.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
