"""Two Vaults: one that may be allowed, and one that never is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.vault import FakeVault


@pytest.fixture
def vault() -> Iterator[FakeVault]:
    with FakeVault() as vault:
        yield vault


@pytest.fixture
def foreign() -> Iterator[FakeVault]:
    """A Vault that nobody allowed; it would open everything."""
    with FakeVault() as vault:
        yield vault
