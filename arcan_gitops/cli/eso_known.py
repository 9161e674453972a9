"""The warning about a version of ESO that this release of Arcan does not know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from arcan_gitops.cli.output import warn
from arcan_gitops.cli.validate import further_schemas
from arcan_gitops.eso_version import EsoVersion, unknown_version
from arcan_gitops.overlay.settings import Overlay
from arcan_gitops.validate.schemaset import ADD_ESO, eso_versions


def warn_if_unknown(version: EsoVersion, where: str = "") -> None:
    """Warn about a version that is not known and whose CRDs were not added, with what to do.

    `where` says who uses it: `overlay 'prod'`.
    """
    problem = unknown_version(version)
    if problem is None or f"v{version}" in eso_versions(further_schemas(None)):
        return
    said = f"{where}: {problem}" if where else problem
    warn(f"{said}; to validate by its own CRDs: {ADD_ESO.format(version=version)}")


def versions_in(overlays: Sequence[Overlay]) -> Iterator[tuple[EsoVersion, str]]:
    """Each version, and which overlays have it: `overlay 'prod' and 2 more`."""
    for version in sorted({overlay.settings.eso_version for overlay in overlays}):
        names = [one.name for one in overlays if one.settings.eso_version == version]
        yield version, f"overlay '{names[0]}'" + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def warn_of_unknown(overlays: Sequence[Overlay]) -> None:
    """One warning for each version of ESO that is not known here."""
    for version, which in versions_in(overlays):
        warn_if_unknown(version, which)
