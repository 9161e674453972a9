"""The signals of the main process. None is lost, whenever it comes.

A Python handler runs between two steps of the main thread, so that a signal which comes when that thread is
about to sleep is noticed by the next signal only. Here signals are blocked once loading is over, stay
pending in the kernel, and are taken one by one with sigtimedwait(2). While the realms are loaded the main
thread never sleeps for long, and a handler ends the process.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Final

STOPS: Final = frozenset({signal.SIGTERM, signal.SIGINT})
RETIRE: Final = signal.Signals(signal.SIGRTMIN)  # to a worker: take no new connections
_TAKEN: Final = STOPS | {signal.SIGHUP, signal.SIGCHLD, RETIRE}
_HARMLESS: Final = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT)


class Signals:
    """One for a process, made in its main thread."""

    def __init__(self) -> None:
        self._stopped = False

    def while_loading(self) -> None:
        """SIGTERM and SIGINT end the process with status 0; there is nothing to reload yet."""
        for number in (signal.SIGHUP, *_HARMLESS):
            signal.signal(number, signal.SIG_IGN)
        for number in STOPS:
            signal.signal(number, self._stop)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopped = True  # where the exception below is swallowed, `hold` and `take` still know
        sys.exit(0)

    def hold(self) -> None:
        """From now on signals wait until they are taken. Threads and processes made later inherit that."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _TAKEN)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        if self._stopped:
            sys.exit(0)

    def take(self, seconds: float) -> signal.Signals | None:
        """The next signal, or None when none has come for `seconds`."""
        found = signal.sigtimedwait(_TAKEN, seconds)
        # CPython gives anything where the time ran out while the process was stopped, by SIGSTOP say
        if found is None or found.si_signo not in _TAKEN:
            return None
        return signal.Signals(found.si_signo)
