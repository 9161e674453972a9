"""Holds for every test: the project's own tools come first on PATH, and a test that skips has failed."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent


def pytest_configure() -> None:
    """`pytest` run by hand finds the same tools as `make test`."""
    tools = [ROOT / ".tools" / "bin", ROOT / ".venv" / "bin"]
    os.environ["PATH"] = os.pathsep.join([*map(str, tools), os.environ.get("PATH", os.defpath)])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test proves nothing, and what is missing is what `make test` was to install."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
    return report
