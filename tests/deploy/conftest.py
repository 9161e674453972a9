"""One folder of base and components for all tests here: kustomize is run once for each combination."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops.deploy import base_tree, component_tree


@pytest.fixture(scope="session")
def kustomize(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as `arcan generate overlays` writes it."""
    folder = tmp_path_factory.mktemp("kustomize")
    for name, tree in (("base", base_tree()), ("components", component_tree())):
        for path, text in tree.items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_text(text)
    return folder
