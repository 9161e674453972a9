"""Every vector, natively against what it expects, and against the real sops."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from arcan_gitops import sops
from arcan_gitops.errors import ArcanError
from tests.support.vectors import FOLDER, SUCCESS, Answer, Vector, as_json, ask_sops, identity, same
from tests.vectors.make_vectors import MODULES

PATHS = sorted(FOLDER.glob("*.vector"))


@pytest.fixture(scope="module")
def answers() -> Iterator[dict[Path, Future[Answer]]]:
    """What sops makes of each, asked two at a time."""
    with ThreadPoolExecutor(2) as pool:
        asked = {}
        for path in PATHS:
            vector = Vector.read(path)
            if not vector.not_run:
                asked[path] = pool.submit(ask_sops, vector.document, vector.format, vector.identities)
        yield asked


def test_there_are_vectors_of_every_kind() -> None:
    assert len(PATHS) >= 200
    assert {Vector.read(path).format for path in PATHS} == {"yaml", "json", "dotenv", "binary", "ini"}
    assert len(MODULES) == 6


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_we_do_what_the_vector_expects(path: Path) -> None:
    vector = Vector.read(path)
    if vector.expect == SUCCESS:
        assert as_json(vector.load().trees) == vector.tree
        return
    with pytest.raises(ArcanError) as caught:
        vector.load()
    assert type(caught.value) is getattr(sops, vector.expect)
    said = f"{caught.value} {caught.value.hint}"
    for name in vector.identities:
        assert identity(name) not in said


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_sops_does_what_the_vector_says_of_it(path: Path, answers: dict[Path, Future[Answer]]) -> None:
    vector = Vector.read(path)
    if path not in answers:
        assert vector.not_run
        return
    answer = answers[path].result()
    assert (answer.trees is not None) == vector.sops_accepts, answer.error
    if answer.trees is not None and vector.tree:
        assert same(vector.load().trees, answer.trees)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_an_outline_refuses_nothing_that_reads(path: Path) -> None:
    """And where it takes no key to see what is wrong, it is seen without one."""
    vector = Vector.read(path)
    try:
        outlined = sops.outline(vector.document, format=vector.format, limits=vector.limits)
    except sops.SopsError as error:
        assert type(error).__name__ == vector.expect
    else:
        assert outlined.documents >= 1
        assert vector.expect in {SUCCESS, "Tampered", "NoMatchingIdentity", "Malformed", "Unsupported"}
        if vector.tree:
            keys = [key for tree in json.loads(vector.tree) for key in tree]
            assert list(outlined.keys) == keys


def test_the_readme_shows_where_each_of_the_95_cases_is_proven() -> None:
    rows = re.findall(r"(?m)^\| (\d+) \| .* \| (\d*) ?\| (.*)\|$", (FOLDER / "README.md").read_text())
    assert [int(case) for case, _, _ in rows] == list(range(1, 96))
    for case, count, tests in rows:
        assert int(count or 0) == len(list(FOLDER.glob(f"{int(case):02d}-*.vector"))), case
        named = re.findall(r"`(\S+\.py)::(\w+)`", tests)
        assert count or named, case
        for file, test in named:
            assert f"def {test}(" in (FOLDER.parent / file).read_text(), test


def test_each_vector_has_a_case_and_a_name_of_its_own() -> None:
    for path in PATHS:
        assert Vector.read(path).path == path
