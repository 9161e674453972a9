"""The embedded engine: jsonschema over the same schemas as kubeconform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from arcan_gitops.validate.engine import Case
from arcan_gitops.validate.explain import Judges, message
from arcan_gitops.validate.results import Result, Status
from arcan_gitops.validate.schemaset import SchemaSet


class Embedded:
    """Needs nothing but this package."""

    name: Final = "embedded"

    def __init__(self) -> None:
        self._judges = Judges()

    def judge(self, cases: Sequence[Case], schemas: SchemaSet) -> list[Result]:
        """One result a case, in order."""
        return [self._judge(case) for case in cases]

    def _judge(self, case: Case) -> Result:
        problems = self._judges.problems(case.manifest, case.schema)
        if not problems:
            return case.manifest.result(Status.VALID)
        return case.manifest.result(Status.INVALID, message(problems))
