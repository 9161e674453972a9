"""The lock files say what pyproject.toml asks for, with a hash for every file, and not from where."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-go.lock"]


def read_lock(name: str) -> dict[str, str]:
    """Package name -> version."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", (ROOT / name).read_text(), re.MULTILINE)
    return {canonicalize_name(package): version for package, version in pins}


def unmet(requirements: list[str], lock: dict[str, str]) -> list[str]:
    wanted = [Requirement(text) for text in requirements]
    return [
        str(one) for one in wanted if not one.specifier.contains(lock.get(canonicalize_name(one.name), "0"))
    ]


def test_a_requirement_that_the_lock_lacks_is_noticed():
    assert unmet(["flask>=3.1", "click>=8.1"], {"flask": "3.0"}) == ["flask>=3.1", "click>=8.1"]


def test_the_runtime_lock_meets_every_dependency():
    assert unmet(PROJECT["project"]["dependencies"], read_lock("requirements.lock")) == []


def test_the_development_lock_meets_every_dependency_and_the_build_backend():
    wanted = [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["dev"],
        *PROJECT["build-system"]["requires"],
    ]
    assert unmet(wanted, read_lock("requirements-dev.lock")) == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-build.lock"])
def test_a_new_repository_installs_what_runs_here(name: str):
    copy = ROOT / "arcan_gitops/scaffold/files" / name
    assert copy.read_bytes() == (ROOT / name).read_bytes(), f"cp {name} {copy.relative_to(ROOT)}"


def test_what_is_tested_is_what_runs():
    assert read_lock("requirements.lock").items() <= read_lock("requirements-dev.lock").items()


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_a_hash(name: str):
    entries = re.split(r"^(?=[a-z0-9])", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index(name: str):
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", (ROOT / name).read_text())
