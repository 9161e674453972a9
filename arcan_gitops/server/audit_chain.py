"""The chain of the lines that one process writes: each has the hash of itself and all before it."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable

from arcan_gitops.audit.chain import FIRST, HASH_FIELD, MAC_FIELD, Head, link, seal
from arcan_gitops.audit.fields import BEGAN, CHECKPOINT, CHECKPOINT_SECONDS, FOLLOWS
from arcan_gitops.audit.key import AuditKey
from arcan_gitops.server.audit_line import Fields, content, encoded, source
from arcan_gitops.server.chain_heads import Cell


class Chain:
    """Nothing counts as written until `took` says so: a line that no sink took leaves no gap."""

    def __init__(
        self,
        instance: str,
        worker: int = 0,
        key: AuditKey | None = None,
        before: Iterable[Head] = (),
        cell: Cell | None = None,
    ) -> None:
        """`before` are the chains that this one follows; `cell` is told of each line that was taken."""
        self._id = secrets.token_hex(8)
        self._source = source(instance, self._id, worker)
        self._key = key
        self._before = list(before)
        self._cell = cell
        self._chain = self._id.encode()
        self._sequence = 0
        self._hash = self._next = FIRST
        self.current_from = self.current_until = -math.inf  # when no checkpoint is due

    def upkeep(self) -> Iterable[Fields]:
        """What to write before the line of a time when a checkpoint is due, one by one."""
        yield {"event": CHECKPOINT if self._sequence else BEGAN}
        while self._before:
            head = self._before[0]
            yield {
                "event": FOLLOWS,
                "previous_chain": head.chain,
                "previous_sequence": head.sequence,
                "previous_hash": head.hash,
            }
            self._before.pop(0)

    @property
    def begun(self) -> bool:
        """Whether it has a line."""
        return self._sequence > 0

    def line(self, now: float, fields: str, least: str = "") -> bytes:
        """The next line; `now` in Unix seconds, the fields encoded. `least` is left out of a long line."""
        return self._linked(content(now, self._source, self._sequence + 1, fields, least))

    def sealed_line(self, now: float, fields: Fields) -> bytes:
        """The same with the seal of the key, if there is one."""
        if self._key is None:
            return self.line(now, encoded(fields))
        fields = {**fields, "key_id": self._key.id}
        written = content(now, self._source, self._sequence + 1, encoded(fields))
        mac = seal(self._key.secret, self._hash, written)
        return self._linked(b'%b%b%b"' % (written, MAC_FIELD, mac.encode()))

    def _linked(self, written: bytes) -> bytes:
        self._next = digest = link(self._hash, written).encode()
        return b'%b%b%b"}\n' % (written, HASH_FIELD, digest)

    def took(self) -> None:
        """The last line is in the log."""
        self._sequence += 1
        self._hash = self._next
        if self._cell is not None:
            self._cell.note(self._chain, self._sequence, self._hash)

    def sealed(self, now: float) -> None:
        """A checkpoint of this time is in the log. Another is due after a minute, or if the clock is set
        back.
        """
        self.current_from, self.current_until = now, now + CHECKPOINT_SECONDS
