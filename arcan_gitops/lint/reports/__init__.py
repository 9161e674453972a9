"""A `Report` as text for people, and for the programs that read findings: one format a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from arcan_gitops.lint.findings import Report
from arcan_gitops.lint.reports import as_github, as_json, as_sarif, as_text

FORMATS: Final[dict[str, Callable[[Report], str]]] = {
    "text": as_text.render,
    "json": as_json.render,
    "sarif": as_sarif.render,
    "github": as_github.render,
}
