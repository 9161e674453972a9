"""What `arcan realm check --base` says beside the checks of files: the review, of realms alone."""

from __future__ import annotations

from typing import Final

from arcan_gitops.cli.root import CLUSTERS, REALMS
from arcan_gitops.realms.sops_config import CONFIG_FILE
from arcan_gitops.review.findings import Finding, Kind

_OF_APPS: Final = "ARR218"  # is placed at a realm's document, and is about an app


def since_base(base: str) -> tuple[Finding, ...]:
    """What breaks, and who gains, in realms, rules and clusters. Raises `GitFailed`, `GitMissing`."""
    from arcan_gitops.cli.review import reviewed

    ours = (f"{REALMS}/", f"{CLUSTERS}/", CONFIG_FILE)
    return tuple(
        finding
        for finding in reviewed(base, None).findings
        if finding.kind is not Kind.NOTE and finding.path.startswith(ours) and finding.rule.id != _OF_APPS
    )
