"""The sample repository: made once for all tests of review, and set back before each."""

from __future__ import annotations

import pytest

from tests.review.sample import Sample


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample(tmp_path_factory.mktemp("review"))


@pytest.fixture
def sample(made_once: Sample) -> Sample:
    made_once.start()
    return made_once
