"""The fields of a line of the audit log, and the events that are no decision: docs/audit-log.md."""

from __future__ import annotations

from typing import Final

# Every field of a line, in the order of docs/audit-log.md.
FIELDS: Final = (
    "time",
    "instance",
    "chain",
    "worker",
    "sequence",
    "request_id",
    "status",
    "code",
    "reason",
    "client",
    "token_id",
    "token_name",
    "claimed_token_id",
    "cluster",
    "namespace",
    "account",
    "claimed_account",
    "realm",
    "environment",
    "key",
    "revision",
    "claimed_namespace",
    "count",
    "event",
    "unrecorded",
    "previous_chain",
    "previous_sequence",
    "previous_hash",
    "key_id",
    "mac",
    "hash",
)

BEGAN: Final = "began"  # the first line of a chain
FOLLOWS: Final = "follows"  # names a chain of before, and the last line of it that is known
CHECKPOINT: Final = "checkpoint"
ENDED: Final = "ended"  # the last line of a chain, where the process ended in order
RESUMED: Final = "resumed"
SEALED: Final = frozenset({BEGAN, CHECKPOINT, ENDED})  # events whose lines a key seals

CHECKPOINT_SECONDS: Final = 60.0
