"""Manifests as they are found in the wild, and exactly what lint says about them.

The first line of each says what to expect: `# expect: LINE:RULE ...`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.lint.check import lint
from arcan_gitops.lint.reading import Source, files_under, read_file

ROOT = Path(__file__).resolve().parents[2]
SNIPPETS = sorted((Path(__file__).parent / "snippets").glob("*.yaml"))
NEWEST = EsoVersion(2, 9)


@pytest.mark.parametrize("path", SNIPPETS, ids=lambda path: path.stem)
def test_a_snippet_gives_exactly_the_findings_that_it_expects(path: Path) -> None:
    data = path.read_bytes()
    header = data.decode().split("\n")[0]
    assert header.startswith("# expect:")
    found = lint([Source("x", data)], NEWEST).findings
    assert [f"{f.place.line}:{f.rule}" for f in found if f.place] == header.removeprefix("# expect:").split()


def test_what_the_project_deploys_is_clean() -> None:
    files = [*files_under(ROOT / "kustomize"), *files_under(ROOT / "deploy")]
    report = lint([read_file(file) for file in files], NEWEST)
    assert report.findings == ()
    assert report.manifests > 10


def test_what_the_project_generates_has_the_warnings_that_its_declarations_ask_for() -> None:
    """An app that asks for Delete by name, and a store whose server is declared with http."""
    golden = ROOT / "tests" / "golden"
    report = lint([read_file(file) for file in files_under(golden)], NEWEST)
    found = {
        (Path(f.place.path).relative_to(golden).parts[0], f.rule)
        for f in report.findings
        if f.place is not None
    }
    assert found == {("every-secret", "ARC051"), ("every-store", "ARC023")}
    assert report.passed(strict=False)
    assert report.manifests > 50
