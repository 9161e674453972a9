"""A short run of `make soak`."""

from __future__ import annotations

from pathlib import Path

from tests.support.soak import soak


def test_reads_beside_reloads_never_fail(tmp_path: Path) -> None:
    done = soak(tmp_path, requests=1500, reloads=6)
    assert done.failures == []
    assert (done.requests, done.reloads) == (1500, 6)
    assert done.sound, f"{done.growth} MiB"
