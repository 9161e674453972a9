"""Copies the secrets of another system into the document of an environment; `sources/` has the systems.

A source says what it finds (`Found`) and what it leaves out and why (`Left`); `name_all` gives each value the
key that it will have; `Destination.land` writes all of them at once, or says what it would write. Nothing is
kept between runs: a second one finds in the document what the first has written.
"""

from __future__ import annotations

from arcan_gitops.migrate.landing import Destination
from arcan_gitops.migrate.naming import key_for, name_all
from arcan_gitops.migrate.outcome import Named, Outcome, Status
from arcan_gitops.migrate.reports import as_json, as_text, summary
from arcan_gitops.migrate.source import CannotImport, Found, Left, NoClientLibrary, Origin, Source
from arcan_gitops.migrate.unlogged import unlogged

__all__ = [
    "CannotImport",
    "Destination",
    "Found",
    "Left",
    "Named",
    "NoClientLibrary",
    "Origin",
    "Outcome",
    "Source",
    "Status",
    "as_json",
    "as_text",
    "key_for",
    "name_all",
    "summary",
    "unlogged",
]
