"""What tests of several commands begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.secret_command import SecretCommand


@pytest.fixture
def secret_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> SecretCommand:
    """`arcan secret` in a folder with a document and the identity that opens it."""
    return SecretCommand(tmp_path, monkeypatch, capsys)
