"""kubeconform and the embedded engine say the same of every manifest, good, bad or slightly wrong."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.validate.check import judge, validate
from arcan_gitops.validate.embedded import Embedded
from arcan_gitops.validate.engine import Engine
from arcan_gitops.validate.kubeconform import Kubeconform
from arcan_gitops.validate.manifests import Manifest, read_manifests
from arcan_gitops.validate.results import Report, Status
from arcan_gitops.validate.schemaset import SchemaSet, eso_versions, schema_sets
from arcan_gitops.validate.sources import PlainFile

MANIFESTS = Path(__file__).resolve().parent.parent / "manifests"
GOOD = sorted((MANIFESTS / "good").iterdir())
BAD = sorted((MANIFESTS / "bad").iterdir())
NEWEST = eso_versions()[-1:]

# `# INVALID with v0.16.2: spec.x: unknown field 'y'`: what must be reported, and by which ESO version
_EXPECTED = re.compile(r"# (VALID|INVALID|ERROR)(?: with (v[0-9.]+))?(?:: (.+))?")


def _engine(name: str) -> Engine:
    if name == "embedded":
        return Embedded()
    kubeconform = Kubeconform.find()
    assert kubeconform is not None, "kubeconform must be on PATH for this test"
    return kubeconform


def _expected(path: Path) -> tuple[Status, tuple[str, ...], str]:
    match = _EXPECTED.fullmatch(path.read_text().splitlines()[0])
    if match is None:
        return Status.VALID, eso_versions(), ""
    return Status[match[1]], (match[2],) if match[2] else NEWEST, match[3] or ""


def _report(path: Path, engine: str, versions: tuple[str, ...]) -> Report:
    return validate((PlainFile(path),), _engine(engine), schema_sets(versions, None))


@pytest.mark.parametrize("engine", ["kubeconform", "embedded"])
@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_manifest_is_valid_with_every_eso_version_that_serves_it(path: Path, engine: str) -> None:
    _, versions, _ = _expected(path)
    report = _report(path, engine, versions)
    assert report.passed, [result for result in report.results if result.message]
    assert report.results


@pytest.mark.parametrize("engine", ["kubeconform", "embedded"])
@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_manifest_is_reported_as_its_first_line_says(path: Path, engine: str) -> None:
    status, versions, message = _expected(path)
    assert status is not Status.VALID
    failures = [r for r in _report(path, engine, versions).results if r.status is not Status.VALID]
    assert [failure.status for failure in failures] == [status]
    assert message in failures[0].message
    assert "canary" not in failures[0].message


@pytest.mark.parametrize("path", [*GOOD, *BAD], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_both_engines_give_the_same_results_to_the_letter(path: Path) -> None:
    kubeconform, embedded = (_report(path, name, eso_versions()) for name in ("kubeconform", "embedded"))
    assert kubeconform.results == embedded.results


OTHERS: tuple[Any, ...] = ("a text", "a text\n", "", 7, 7.0, 7.5, True, None, [], {}, {"a": "b"})


def _paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        yield (*path, name)
        yield from _paths(child, (*path, name))


def _mutants(manifest: Manifest) -> Iterator[Manifest]:
    """The manifest with one thing changed: each value for one of another type, gone, or given a neighbour."""
    for path in _paths(manifest.body):
        if path in (("apiVersion",), ("kind",)):
            continue  # what finds the schema is not the schema's to judge
        for other in OTHERS:
            yield _changed(manifest, path, lambda parent, name, other=other: parent.__setitem__(name, other))
        yield _changed(manifest, path, lambda parent, name: parent.__delitem__(name))
        if isinstance(path[-1], str):
            yield _changed(manifest, path, lambda parent, name: parent.__setitem__(f"{name}X", "a text"))
        else:
            yield _changed(manifest, path, lambda parent, name: parent.append(parent[name]))


def _changed(manifest: Manifest, path: tuple[Any, ...], change: Any) -> Manifest:
    body = copy.deepcopy(dict(manifest.body))
    parent: Any = body
    for name in path[:-1]:
        parent = parent[name]
    change(parent, path[-1])
    return Manifest(str(path), manifest.api_version, manifest.kind, manifest.name, manifest.namespace, body)


def test_both_engines_agree_on_every_small_change_of_the_good_manifests() -> None:
    schemas = SchemaSet(NEWEST[0])
    good = [item for path in GOOD for item in read_manifests(path.read_bytes(), path.name)]
    mutants: list[Any] = []
    for manifest in good:
        assert isinstance(manifest, Manifest)
        mutants += _mutants(manifest)
    assert len(mutants) > 3_000
    ours = judge(mutants, _engine("embedded"), schemas)
    theirs = judge(mutants, _engine("kubeconform"), schemas)
    differences = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    assert differences == []
    statuses = {result.status for result in ours}
    assert {Status.VALID, Status.INVALID} <= statuses
