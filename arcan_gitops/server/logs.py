"""Logging to standard error; exceptions by type and place, never by text."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

from arcan_gitops.errors import place_of, printable

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


def configure() -> None:
    """Send every log record of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
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
        "stderr": {"class": "logging.StreamHandler", "formatter": "arcan", "stream": "ext://sys.stderr"}
    },
    "loggers": {
        "_granian": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "granian.access": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}
