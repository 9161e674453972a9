"""The ways to hand requirements over: one file for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from arcan_gitops.bootstrap.outputs.commands import as_commands
from arcan_gitops.bootstrap.outputs.manifests import as_manifests
from arcan_gitops.bootstrap.outputs.terraform import as_terraform
from arcan_gitops.bootstrap.requirements import Requirements

OUTPUTS: Final[Mapping[str, Callable[[Requirements, str | None], str]]] = {
    "commands": as_commands,
    "manifests": as_manifests,
    "terraform": as_terraform,
}
