"""docs/architecture.md and CONTRIBUTING.md are about the code that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_layers import MAY_IMPORT, modules, part

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
PARTS = {part(path) for path in modules()} - {"__init__"}


def rows() -> dict[str, str]:
    """Each part that the tables name, with what they say of it."""
    found = re.findall(r"^\| (`.*?`) \| (.+) \|$", ARCHITECTURE, re.M)
    return {name: sentence for names, sentence in found for name in re.findall(r"`(\w+)`", names)}


def test_every_part_of_the_package_has_a_sentence() -> None:
    assert rows().keys() == PARTS
    assert all(len(sentence) > 20 for sentence in rows().values())


def test_every_package_is_in_the_picture() -> None:
    picture = re.search(r"^```text\n(.*?)^```$", ARCHITECTURE, re.M | re.S)
    assert picture is not None
    packages = {name for name in PARTS if (ROOT / "arcan_gitops" / name).is_dir()}
    foundation = {name for name in MAY_IMPORT["yamlio"] if name != "golang"}
    assert packages | foundation <= set(re.findall(r"\w+", picture[1]))


@pytest.mark.parametrize("name", re.findall(r"`([\w./]+\.(?:py|md|toml))`", CONTRIBUTING))
def test_every_file_that_is_named_is_there(name: str) -> None:
    package = ROOT / "arcan_gitops"
    if "NN" in name:  # a number to come
        return
    places = [ROOT, package, *(path for path in package.rglob("*") if path.is_dir())]
    assert any((place / name).is_file() for place in places), name


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:`|^)make ([a-z0-9-]+)", CONTRIBUTING, re.M))))
def test_every_target_of_make_is_one(target: str) -> None:
    assert re.search(rf"(?m)^{target}\b.*:", (ROOT / "Makefile").read_text()), target


def test_names_of_the_code_that_are_told_of_exist() -> None:
    code = "".join(path.read_text() for path in [*modules(), ROOT / "tests/test_layers.py"])
    for name in re.findall(r"`([A-Z]\w+)`", CONTRIBUTING + ARCHITECTURE):
        if name != "CHANGELOG":
            assert re.search(rf"\b{name}\b", code), name
