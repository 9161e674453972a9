"""The endpoint that the emulator talks to in these tests: real TLS, on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.eso.endpoint import Authority, Endpoint, make_authority, serving
from tests.eso.samples import Scene


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def endpoint(authority: Authority) -> Iterator[Endpoint]:
    with serving(authority) as endpoint:
        yield endpoint


@pytest.fixture
def scene(endpoint: Endpoint) -> Scene:
    return Scene(endpoint)
