"""A `Review` as text for people, for a comment, and for programs: one format a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from arcan_gitops.review.reports import as_github, as_html, as_json, as_markdown, as_sarif, as_text
from arcan_gitops.review.review import Review

FORMATS: Final[dict[str, Callable[[Review], str]]] = {
    "text": as_text.render,
    "markdown": as_markdown.render,
    "json": as_json.render,
    "sarif": as_sarif.render,
    "github": as_github.render,
    "html": as_html.render,
}
