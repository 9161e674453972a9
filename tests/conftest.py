"""`pytest --rewrite-golden` writes the golden overlays anew; read the diff before you commit it."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# how fast examples are drawn, and run, is the machine's affair
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


# Made anew in each run. The processes of a run each collect the tests, and must come to the same names.
_RANDOM = re.compile(r"(?i)(arc_|age1|AGE-SECRET-KEY-1)[0-9a-z_-]{8,}")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Tests are named by what they are given, but for what is random in it."""
    if isinstance(val, str) and _RANDOM.search(val):
        return _RANDOM.sub(r"\1...", val)
    return None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="write the golden overlays anew")


@pytest.fixture
def rewrite_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--rewrite-golden"))


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """A command that runs in this process may ignore signals; programs that later tests start inherit that."""
    numbers = (
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGQUIT,
        signal.SIGUSR1,
        signal.SIGUSR2,
    )
    handlers = {number: signal.getsignal(number) for number in numbers}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    for number, handler in handlers.items():
        signal.signal(number, handler)
