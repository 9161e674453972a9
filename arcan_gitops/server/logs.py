"""Logging to standard error; exceptions by type and place, never by text."""

from __future__ import annotations

import logging
from typing import Any, Final

from arcan_gitops.errors import place_of, printable
from arcan_gitops.server.sink import Outlet

_FORMAT: Final = "%(asctime)s %(levelname)s %(message)s"


class _Formatter(logging.Formatter):
    """Drops the text of exceptions, which may quote what must not be logged, and what drives terminals."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, one line: a name with a line end in it must not forge a second."""
        return printable(super().format(record).replace("\n", " "))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return f"{ei[0].__name__} at {place_of(ei[1])}" if ei and ei[0] else ""

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - logging's name
        return ""


class _Handler(logging.Handler):
    """Writes to standard error, and never waits for who reads it: a reader that stalls loses lines.

    A log that could block would stop answers, reloads and the end of the server with it.
    """

    def __init__(self) -> None:
        super().__init__()
        try:
            self._outlet: Outlet | None = Outlet(2)
        except OSError:  # it is closed
            self._outlet = None
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, or count it as lost."""
        if self._outlet is None:
            return
        lost = f"({self._lost} lines before this one could not be written)\n" if self._lost else ""
        try:
            self._outlet.send(f"{lost}{self.format(record)}\n".encode(errors="replace"))
            self._lost = 0
        except OSError:
            self._lost += 1


def configure() -> None:
    """Send every log record of this process to standard error."""
    handler = _Handler()
    formatter = _Formatter(_FORMAT, datefmt="%Y-%m-%dT%H:%M:%S%z")
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("watchfiles").setLevel(logging.WARNING)


# Granian configures its own loggers in every process: the same handler, and only what an operator acts on.
GRANIAN_LOGGING: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"arcan": {"()": _Formatter, "fmt": _FORMAT, "datefmt": "%Y-%m-%dT%H:%M:%S%z"}},
    "handlers": {
        "stderr": {"()": _Handler, "formatter": "arcan"},
    },
    "loggers": {
        "_granian": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "granian.access": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}
