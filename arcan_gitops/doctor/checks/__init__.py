"""Every check, in the order in which causes are told."""

from __future__ import annotations

from typing import Final

from arcan_gitops.doctor.check import Check
from arcan_gitops.doctor.checks import (
    argocd,
    authorities,
    freshness,
    installation,
    network,
    others,
    reads,
    stores,
    targets,
    tokens,
)

CHECKS: Final[tuple[Check, ...]] = (
    *installation.CHECKS,
    *argocd.CHECKS,
    *reads.CHECKS,
    *stores.CHECKS,
    *tokens.CHECKS,
    *authorities.CHECKS,
    *network.CHECKS,
    stores.READY,
    *targets.CHECKS,
    *others.CHECKS,
    *freshness.CHECKS,
)
