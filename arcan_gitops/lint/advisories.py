"""Published advisories on ESO, as data. A new one is a new entry, and a row of docs/lint/ARC060.md.

Source: the GitHub advisory database, which each entry names. CVE-2026-34984 gives a commit there; v2.3.0 is
the first release that has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.lint.findings import Severity


@dataclass(frozen=True, slots=True)
class Advisory:
    """Affected: from `since` (inclusive) to `fixed` (exclusive). `rating` is the advisory's own."""

    cve: str
    ghsa: str
    rating: str
    since: EsoVersion
    fixed: EsoVersion
    title: str

    @property
    def severity(self) -> Severity:
        """Critical and high ones are errors."""
        return Severity.ERROR if self.rating in ("critical", "high") else Severity.WARNING

    @property
    def url(self) -> str:
        """Of the advisory."""
        return f"https://github.com/advisories/{self.ghsa}"

    def affects(self, version: EsoVersion) -> bool:
        """Whether a version is in the affected range."""
        return self.since <= version < self.fixed


ADVISORIES: Final = (
    Advisory(
        "CVE-2024-45041",
        "GHSA-qwgc-rr35-h4x9",
        "high",
        EsoVersion(0, 0),
        EsoVersion(0, 10, 2),
        "the cert-controller's ServiceAccount may read every Secret",
    ),
    Advisory(
        "CVE-2025-55196",
        "GHSA-fcxq-v2r3-cc8h",
        "high",
        EsoVersion(0, 15),
        EsoVersion(0, 19, 2),
        "a PushSecret selects Secrets and stores of other namespaces",
    ),
    Advisory(
        "CVE-2026-22822",
        "GHSA-77v3-r3jw-j2v2",
        "critical",
        EsoVersion(0, 20, 2),
        EsoVersion(1, 2),
        "the template function getSecretKey reads Secrets of other namespaces",
    ),
    Advisory(
        "CVE-2026-34984",
        "GHSA-r2pg-r6h7-crf3",
        "high",
        EsoVersion(0, 0),
        EsoVersion(2, 3),
        "the template function getHostByName sends secrets out over DNS",
    ),
    Advisory(
        "CVE-2026-42875",
        "GHSA-wv26-88m5-6h59",
        "medium",
        EsoVersion(0, 0),
        EsoVersion(2, 4),
        "a SecretStore's caProvider reads ConfigMaps of other namespaces",
    ),
    Advisory(
        "CVE-2026-42876",
        "GHSA-fq7h-9x26-6j22",
        "medium",
        EsoVersion(0, 1),
        EsoVersion(2, 4, 1),
        "an ExternalSecret makes tokens of any ServiceAccount of its namespace",
    ),
)


def advisories_for(version: EsoVersion) -> tuple[Advisory, ...]:
    """Those that affect a version, by their number."""
    return tuple(advisory for advisory in ADVISORIES if advisory.affects(version))
