"""What Kustomize calls its own file. Source: kustomize, konfig.RecognizedKustomizationFileNames."""

from __future__ import annotations

from pathlib import Path
from typing import Final

# in the order in which Kustomize looks for them
KUSTOMIZATIONS: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def kustomization_in(folder: Path) -> Path | None:
    """The file by which Kustomize builds a folder, if there is one."""
    return next((path for path in map(folder.joinpath, KUSTOMIZATIONS) if path.is_file()), None)
