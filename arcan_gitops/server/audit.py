"""The audit log: one JSON line for each decision, written before the answer goes out."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from arcan_gitops.errors import ArcanError

# One write of at most this many bytes with O_APPEND cannot be torn apart by another process's.
MAX_LINE_BYTES: Final = 4096
_MAX_TEXT: Final = 253
STDOUT: Final = "-"
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))


class AuditFailed(ArcanError):
    """The line could not be written: the decision must not be answered."""


class AuditLog:
    """Appends to a file, or to standard output (`-`). Safe in threads, and in processes
    that share the file; follows a log rotation.
    """

    def __init__(self, target: str) -> None:
        """Raises `AuditFailed` where the file cannot be opened for appending."""
        self._target = target
        self._lock = threading.Lock()
        self._sequence = 0
        self._torn = False
        self._worker = 0
        self._descriptor = self._open()

    def _open(self) -> int:
        if self._target == STDOUT:
            if sys.stdout is None:
                raise AuditFailed(
                    "standard output is closed, and takes the audit log", hint="--audit-log FILE"
                )
            return 1
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            return os.open(Path(self._target), flags, 0o640)
        except OSError as error:
            raise AuditFailed(
                f"{self._target}: the audit log cannot be written: {error.strerror}",
                hint="give a file in a folder that exists and is writable with --audit-log, or '-'",
            ) from None

    def enter_worker(self) -> None:
        """Count lines as this process's own from here on."""
        self._worker = os.getpid()
        self._sequence = 0
        self._lock = threading.Lock()

    def _follow_rotation(self) -> None:
        """Open the path anew if it is no longer the file that is open: a log rotation moved it away."""
        if self._target == STDOUT:
            return
        held = os.fstat(self._descriptor)
        try:
            named = os.stat(self._target)
        except OSError:
            named = None
        if named is None or (named.st_dev, named.st_ino) != (held.st_dev, held.st_ino):
            old, self._descriptor = self._descriptor, self._open()
            os.close(old)
            self._torn = False

    def write(self, request_id: str, fields: Mapping[str, str | int | None]) -> None:
        """Write one line: time, worker, sequence number, request id, then the fields that are not None.

        Raises `AuditFailed` if the whole line was not taken in one write.
        """
        with self._lock:
            self._sequence += 1
            record: dict[str, str | int] = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "worker": self._worker,
                "sequence": self._sequence,
                "request_id": request_id,
            }
            for name, value in fields.items():
                if value is not None:
                    record[name] = value[:_MAX_TEXT] if isinstance(value, str) else value
            line = _line(record)
            if len(line) > MAX_LINE_BYTES - 1:  # only what a caller chose can be this long
                record.pop("namespace", None)
                line = _line(record)
            try:
                self._follow_rotation()
                if self._torn:
                    line = b"\n" + line
                written = os.write(self._descriptor, line)
            except OSError as error:  # from the write; the opening raises AuditFailed itself
                raise AuditFailed(f"the audit log cannot be written: {error.strerror}") from None
            self._torn = written != len(line)
            if self._torn:
                raise AuditFailed("the audit log took only a part of a line")


def _line(record: Mapping[str, str | int]) -> bytes:
    return _ENCODER.encode(record).encode("ascii") + b"\n"
