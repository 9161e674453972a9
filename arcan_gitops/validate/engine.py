"""The seam between validation and what judges a manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from arcan_gitops.validate.manifests import Manifest
from arcan_gitops.validate.results import Result
from arcan_gitops.validate.schemaset import Schema, SchemaSet


@dataclass(frozen=True, slots=True)
class Case:
    """A manifest, and the schema that it must fit."""

    manifest: Manifest
    schema: Schema


class Engine(Protocol):
    """Judges manifests by schemas at hand, with no network."""

    @property
    def name(self) -> str:
        """As `--engine` names it."""

    def judge(self, cases: Sequence[Case], schemas: SchemaSet) -> list[Result]:
        """One result a case, in order. Raises `ArcanError` where the engine itself fails."""
