"""`--revoked`: a file of entries, or a folder whose files are named by token ids, as a ConfigMap is mounted.

It need not be there. What it once said holds on when it cannot be read or is gone.
"""

from __future__ import annotations

import logging
import stat
from pathlib import Path
from typing import Final

from arcan_gitops.access import Revocations, parse_revocations
from arcan_gitops.errors import ArcanError

log = logging.getLogger("arcan.server")

_MAX_BYTES: Final = 1 << 20


class RevokedList:
    """Used by the thread that looks at tokens."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: str | None = None  # the entries that were read last
        self._complaints: frozenset[str] = frozenset()
        self.current = Revocations()

    def look(self) -> bool:
        """Whether `current` is another list than before."""
        if self._path is None:
            return False
        try:
            text = _read(self._path)
            if not text and self._path.is_dir() and self._seen:  # what is left where a ConfigMap was deleted
                raise FileNotFoundError
        except FileNotFoundError:
            self._complain({f"{self._path}: is gone; what it said holds on"} if self._seen else set())
            return False
        except (OSError, UnicodeDecodeError, ArcanError) as error:
            reason = getattr(error, "strerror", None) or getattr(error, "message", "not UTF-8")
            self._complain({f"{self._path}: {reason}; what it said before holds on"})
            return False
        if text == self._seen:
            return False
        revocations, problems = parse_revocations(text, str(self._path))
        self._complain({problem.message for problem in problems})
        self._seen = text
        changed = revocations != self.current
        if changed:
            log.info("%s: %d entries are revoked", self._path, len(revocations.entries()))
        self.current = revocations
        return changed

    def _complain(self, complaints: set[str]) -> None:
        for complaint in sorted(complaints - self._complaints):
            log.error("%s", complaint)
        self._complaints = frozenset(complaints)


def _read(path: Path) -> str:
    if stat.S_ISDIR(path.stat().st_mode):
        return "".join(f"{each.name}\n" for each in sorted(path.iterdir()) if not each.name.startswith("."))
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise ArcanError(f"larger than {_MAX_BYTES} bytes")
    return data.decode()
