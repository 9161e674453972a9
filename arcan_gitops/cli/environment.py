"""What the environment says: confidential variables are read once, and taken out before anything forks."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Final


def home() -> Path:
    """The home directory, or `~` as it stands for a user who has none."""
    return Path(os.path.expanduser("~"))


def take(name: str) -> str | None:
    """The value of a variable, which is gone afterwards: children do not inherit it, and /proc/PID/environ,
    which shows a variable even after `unsetenv`, shows zeros. None where it is not set, or empty.
    """
    value = os.environ.get(name)
    if not value:
        return None
    if sys.platform != "win32":
        _overwrite(name)
    del os.environ[name]
    return value


# What this process may hold, and neither kubectl, its plugins nor git have any use for.
_NOT_FOR_OTHERS: Final = ("ARCAN_TOKEN", "SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE")


def for_other_programs() -> dict[str, str]:
    """The environment, without what is confidential."""
    return {name: text for name, text in os.environ.items() if name not in _NOT_FOR_OTHERS}


def _overwrite(name: str) -> None:
    find = ctypes.CDLL(None).getenv
    find.restype = ctypes.c_void_p
    address = find(os.fsencode(name))
    if address:
        ctypes.memset(address, 0, len(ctypes.string_at(address)))


def watchdog_seconds() -> float | None:
    """How often systemd must hear from this process, if it asks for that (sd_watchdog_enabled(3))."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 or None if microseconds.isascii() and microseconds.isdigit() else None


def notify_socket() -> str | None:
    """Where systemd wants to be told of this process (sd_notify(3))."""
    return os.environ.get("NOTIFY_SOCKET") or None
