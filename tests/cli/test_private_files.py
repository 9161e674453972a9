"""The private keys of a server, where everybody can read them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from arcan_gitops.cli import arcan


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("data/tls/ca.key", ("--data-dir=data",)),
        ("data/tls/server.key", ("--data-dir=data",)),
        ("own.key", ("--tls-key=own.key", "--tls-cert=own.crt")),
    ],
)
def test_a_server_warns_of_them_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    key = tmp_path / name
    key.parent.mkdir(parents=True, exist_ok=True)
    key.touch(0o600)
    said = CliRunner().invoke(arcan, ["serve", "--realms=none", *options]).stderr
    assert "everybody" not in said
    key.chmod(0o604)
    said = CliRunner().invoke(arcan, ["serve", "--realms=none", *options]).stderr
    assert f"warning: {name}: everybody on this machine can read it; end that: chmod 600 {name}" in said
