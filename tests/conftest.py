"""`pytest --rewrite-golden` writes the golden overlays anew; read the diff before you commit it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# how fast examples are drawn, and run, is the machine's affair
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="write the golden overlays anew")


@pytest.fixture
def rewrite_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--rewrite-golden"))
