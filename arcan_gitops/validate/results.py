"""What validation says of each manifest, as data; the formats are in `reports/`."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


class Status(enum.Enum):
    """VALID; INVALID: a known kind that breaks its schema; ERROR: it could not be judged, a failure too."""

    VALID = "valid"
    INVALID = "invalid"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Result:
    """One manifest of one source, or one source that gave none.

    `source` is the overlay's directory, the file, or `-`. `kind`, `name` and `namespace` are empty where the
    manifest has none. `message` is empty for a valid one and never quotes a value of the manifest.
    """

    source: str
    kind: str
    name: str
    namespace: str
    status: Status
    message: str = ""

    @property
    def full_name(self) -> str:
        """`namespace/name`, or what there is of it."""
        return "/".join(part for part in (self.namespace, self.name) if part)


@dataclass(frozen=True, slots=True)
class Report:
    """All results of one run, in the order of the sources, with what judged them."""

    builder: str  # `kustomize v5.8.2`; empty where there was no overlay to build
    engine: str
    eso_versions: tuple[str, ...]
    known_up_to: str  # the newest ESO version that has schemas
    results: tuple[Result, ...]

    @property
    def passed(self) -> bool:
        """Whether every manifest is valid."""
        return all(result.status is Status.VALID for result in self.results)

    def summary(self) -> str:
        """`3 manifests: 2 valid, 1 invalid, 0 errors (kustomize v5.8.2, kubeconform, ESO v1.3.2; known up to
        v2.9.0)`.
        """
        counts = count(self.results)
        total = len(self.results)
        return (
            f"{total} manifest{'' if total == 1 else 's'}: {counts[Status.VALID]} valid, "
            f"{counts[Status.INVALID]} invalid, {counts[Status.ERROR]} "
            f"error{'' if counts[Status.ERROR] == 1 else 's'} "
            f"({', '.join(filter(None, (self.builder, self.engine)))}, "
            f"ESO {', '.join(self.eso_versions)}; known up to {self.known_up_to})"
        )


def count(results: Iterable[Result]) -> Counter[Status]:
    """How many results have each status."""
    return Counter(result.status for result in results)
