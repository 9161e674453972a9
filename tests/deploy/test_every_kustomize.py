"""What is generated builds with every Kustomize since 5.4, and to the same objects.

The other tests here build with both versions too: servers of all selections, with all components.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.deploy.repository import Repository, names, without_hash
from tests.support.kustomize import NEWEST, OLDEST, build

ROOT = Path(__file__).resolve().parents[2]
TOPS = ("kustomize", "realms", "tests/golden")
NAMES = {"kustomization.yaml", "kustomization.yml", "Kustomization"}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def committed_kustomizations() -> list[Path]:
    """The folders that a person, Argo CD or Flux may build: no components."""
    files = [path for top in TOPS for path in (ROOT / top).rglob("*") if path.name in NAMES]
    return sorted(file.parent for file in files if "\nkind: Component\n" not in file.read_text())


def test_the_two_are_not_the_same_version():
    shown = {
        program: subprocess.run([program, "version"], capture_output=True, check=True, text=True).stdout
        for program in (OLDEST, NEWEST)
    }
    assert shown[OLDEST] != shown[NEWEST]


@pytest.mark.parametrize("folder", committed_kustomizations(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_committed_kustomization_builds_to_the_same_with_both(folder: Path):
    assert build(folder)


def test_there_are_overlays_servers_realms_and_goldens_among_them():
    found = {str(folder.relative_to(ROOT)) for folder in committed_kustomizations()}
    assert found >= {
        "kustomize/overlays/prod",
        "kustomize/servers/prod",
        "realms/platform",
        "tests/golden/fleet/overlays/oslo",
    }


def test_only_what_is_not_selected_is_deleted(repository: Repository):
    """The names of environments and realms may begin alike, and a dot in a pattern is any character."""
    for realm in ("production", "production-eu"):
        for environment in ("prod", "prod-eu", "staging", "staging-eu"):
            repository.files.write(realm, environment, "PASSWORD: x\n")
    objects = repository.generated({"select": ["production/prod", "production-eu/staging-eu"]})
    found = {without_hash(name) for name in names(objects, "ConfigMap") if name.startswith("realm.")}
    assert found == {
        "realm.production",
        "realm.production.prod",
        "realm.production-eu.staging-eu",
    }
