"""A short run of each fuzzer; `make fuzz SECONDS=600` makes a long one of other documents."""

from __future__ import annotations

import pytest

from tests.support.fuzzing import FUZZERS, start

ROUNDS = {"documents": 3, "metadata": 8, "scalars": 4}


@pytest.mark.parametrize("name", FUZZERS)
def test_a_fuzzer_finds_no_difference_to_sops(name: str) -> None:
    run = start(name, seed=20260102)
    for _ in range(ROUNDS[name]):
        FUZZERS[name](run)
    assert run.findings == []
    assert run.counts["accepted"] > 0
