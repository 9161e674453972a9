"""What the audit log has in the data directory: the key that seals its chains, and where these ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from arcan_gitops.audit.chain import Head
from arcan_gitops.audit.key import AuditKey, make_key
from arcan_gitops.server.chain_heads import load_heads, save_heads

log = logging.getLogger("arcan.server")

_SAVE_SECONDS: Final = 60.0


class AuditFolder:
    """`audit/` of the data directory. A server without a data directory goes without: a pod is given its key,
    and knows nothing of the pods before it.
    """

    def __init__(self, data_dir: Path) -> None:
        self._key = data_dir / "audit" / "key"
        self._heads = data_dir / "audit" / "chains.json"
        self._saved = time.monotonic()

    def key(self, given: Path | None) -> AuditKey | None:
        """The key in the file that was given, or our own, which is made where it is missing. None, which the
        log says, where that file is not there, or nothing can be written here. Raises `BadAuditKey`.
        """
        path = given or self._key
        try:
            if given is None and not path.exists():
                make_key(path)
                log.info("made %s, which seals the chains of the audit log: keep a copy elsewhere", path)
            return AuditKey.read(path)
        except OSError as error:
            # a pod has no such Secret unless somebody made one; what is there and cannot be read is a fault
            level = logging.INFO if isinstance(error, FileNotFoundError) else logging.WARNING
            reason = error.strerror
            log.log(level, "the chains of the audit log are not sealed by a key: %s: %s", path, reason)
            return None

    def heads(self) -> list[Head]:
        """The newest lines of the chains that the server before this one wrote."""
        return load_heads(self._heads)

    def look(self, heads: Callable[[], Sequence[Head]]) -> None:
        """Called often; saves the newest lines of the chains once a minute."""
        if time.monotonic() - self._saved >= _SAVE_SECONDS:
            self.save(heads())

    def save(self, heads: Sequence[Head]) -> None:
        """Keep the newest lines for the next server."""
        self._saved = time.monotonic()
        if heads and self._heads.parent.is_dir() and not save_heads(self._heads, heads):
            log.warning("%s cannot be written: the next server cannot name this one's chains", self._heads)
