"""A `Report` as text for people, JSON for programs and JUnit XML for CI: one format a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from arcan_gitops.validate.reports import as_json, as_junit, as_text
from arcan_gitops.validate.results import Report

FORMATS: Final[dict[str, Callable[[Report], str]]] = {
    "text": as_text.render,
    "json": as_json.render,
    "junit": as_junit.render,
}
