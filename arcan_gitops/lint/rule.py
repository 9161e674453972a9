"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from arcan_gitops.lint.findings import Found, Severity, page
from arcan_gitops.lint.manifests import Manifests

Check: TypeAlias = Callable[[Manifests], Iterable[Found]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that lint looks for. `title` completes "finds ..."; `check` yields each place of it."""

    id: str
    severity: Severity
    title: str
    check: Check

    @property
    def page(self) -> str:
        """The page about it."""
        return page(self.id)
