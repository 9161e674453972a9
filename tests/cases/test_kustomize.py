"""kustomize/: what one version builds and another does not."""

from __future__ import annotations

from tests.cases import case
from tests.support.kustomize import NEWEST, OLDEST, run_kustomize

TWO_DELETES = case("kustomize", "two-deletes")


def test_two_deletions_in_one_file_crash_the_oldest_kustomize_and_not_the_newest():
    """Why a server deletes what it does not select by a patch with a target."""
    assert "panic: " in run_kustomize(OLDEST, TWO_DELETES).stderr
    assert run_kustomize(NEWEST, TWO_DELETES).returncode == 0
