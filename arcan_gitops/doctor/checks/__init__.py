"""Every check, in the order in which causes are told."""

from __future__ import annotations

from typing import Final

from arcan_gitops.doctor.check import Check
from arcan_gitops.doctor.checks import (
    argocd,
    credentials,
    freshness,
    installation,
    network,
    others,
    reads,
    stores,
    targets,
)

CHECKS: Final[tuple[Check, ...]] = (
    *installation.CHECKS,
    *argocd.CHECKS,
    *reads.CHECKS,
    *stores.CHECKS,
    *credentials.CHECKS,
    *network.CHECKS,
    *targets.CHECKS,
    *others.CHECKS,
    *freshness.CHECKS,
)
