"""Published advisories on ESO and Argo CD, read from `advisories.yaml`: the source and the day of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from arcan_gitops.eso_version import Release
from arcan_gitops.lint.findings import Severity
from arcan_gitops.yamlio import Fields, one_of, read_mapping

ESO: Final = "external-secrets"
ARGO_CD: Final = "argo-cd"
NAMES: Final = {ESO: "ESO", ARGO_CD: "Argo CD"}
_FILE: Final = Path(__file__).with_name("advisories.yaml")
_RATINGS: Final = ("critical", "high", "medium", "low", "unknown")


@dataclass(frozen=True, slots=True)
class Advisory:
    """`affected`: (first affected, first fixed) of each line of releases. `rating` is the source's own.

    `number` is the CVE, or the GHSA where there is none. `checked`: when `source` was read, `2026-11-28`.
    """

    program: str
    number: str
    ghsa: str
    rating: str
    affected: tuple[tuple[Release, Release], ...]
    title: str
    source: str
    checked: str

    @property
    def severity(self) -> Severity:
        """Critical and high ones are errors."""
        return Severity.ERROR if self.rating in ("critical", "high") else Severity.WARNING

    @property
    def url(self) -> str:
        """Of the advisory."""
        return f"https://github.com/advisories/{self.ghsa}"

    def fixed_in(self, version: Release) -> Release | None:
        """The first release after a version that has the fix; None for a version that is not affected."""
        at = _parts(version)
        return next((fix for since, fix in self.affected if _parts(since) <= at < _parts(fix)), None)

    def says(self, version: Release) -> str:
        """`ESO 1.1.0 has CVE-2026-22822 (critical): what it is`; `version` is one that is affected."""
        return f"{NAMES[self.program]} {version} has {self.number} ({self.rating}): {self.title}"


def _parts(version: Release) -> tuple[int, int, int]:
    return version.major, version.minor, version.patch  # versions of two programs do not compare


@cache
def advisories() -> tuple[Advisory, ...]:
    """All of the file, in its order. Raises `InvalidFile`."""
    fields = read_mapping(_FILE.read_bytes(), _FILE.name)
    return tuple(map(_advisory, fields.mappings("advisories")))


def _advisory(fields: Fields) -> Advisory:
    ghsa = fields.text("ghsa")
    advisory = Advisory(
        one_of(fields, "program", fields.text("program"), tuple(NAMES)),
        fields.text("cve", ghsa),
        ghsa,
        one_of(fields, "rating", fields.text("rating"), _RATINGS),
        tuple((Release.parse(since), Release.parse(fixed)) for since, fixed in fields.items("affected")),
        fields.text("title"),
        fields.text("source"),
        fields.text("checked"),
    )
    fields.done()
    return advisory


def advisories_for(version: Release, program: str = ESO) -> tuple[Advisory, ...]:
    """Those that affect a version of a program, by their number."""
    return tuple(one for one in advisories() if one.program == program and one.fixed_in(version) is not None)
