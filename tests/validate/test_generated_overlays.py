"""Everything that is generated, built by Kustomize and judged by kubeconform, for each ESO that is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops.overlay import build_overlays, compare
from arcan_gitops.validate.check import validate
from arcan_gitops.validate.embedded import Embedded
from arcan_gitops.validate.kubeconform import Kubeconform
from arcan_gitops.validate.schemaset import eso_versions, schema_sets
from arcan_gitops.validate.sources import discover
from tests.overlay.samples import SAMPLES
from tests.overlay.test_golden_overlays import CASES
from tests.overlay.test_manifests import project


@pytest.mark.parametrize("version", eso_versions())
def test_every_golden_overlay_is_valid_for_the_version_that_it_is_generated_for(version: str, tmp_path: Path):
    for case in CASES:
        settings, apps = project(case, version)
        compare(tmp_path / case, build_overlays(apps, settings, SAMPLES)).write()
    kubeconform = Kubeconform.find()
    assert kubeconform is not None
    sources = tuple(source for case in CASES for source in discover(tmp_path / case))
    report = validate(sources, kubeconform, schema_sets((version,), None))
    assert report.passed, report
    assert validate(sources, Embedded(), schema_sets((version,), None)).passed
