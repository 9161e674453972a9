"""`arcan secret` as a person types it, on realm files made by the real sops."""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.cli import main
from tests.support.realm_files import CANARY, RealmFiles, decrypt_to_json

PLAIN = f"""\
# the database
DATABASE_URL: {CANARY}-old
PORT: 5432
LIMITS:
    per_day: 10 # a day
    tiers: [free, pro]
"""
SHARED_MEMORY = Path("/dev/shm")
_HIDDEN = ("SOPS_", "ARCAN_", "XDG_", "EDITOR", "VISUAL")


@dataclass
class Result:
    status: int
    out: str
    err: str


class SecretCommand:
    """Runs in a folder with `realms/shop/prod.sops.yaml`, whose identity is at hand."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.files = RealmFiles(folder)
        self.path = self.files.write("shop", "prod", PLAIN)
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(_HIDDEN)},
            "HOME": str(folder),
            "SOPS_AGE_KEY_FILE": str(self.files.identity_file),
            "COLUMNS": "200",
        }
        for name in set(os.environ) - set(self.environment):
            monkeypatch.delenv(name)
        for name in ("HOME", "SOPS_AGE_KEY_FILE", "COLUMNS"):
            monkeypatch.setenv(name, self.environment[name])
        monkeypatch.chdir(folder)

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Result:
        """In this process; standard input is no terminal."""
        self._monkeypatch.setattr(sys, "argv", ["arcan", "secret", *arguments])
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as status:
            main()
        assert isinstance(status.value.code, int)
        return Result(status.value.code, *self._capsys.readouterr())

    def seen_by_sops(self) -> dict[str, Any]:
        """The values that the real sops reads, but for the place that the document is bound to."""
        done = decrypt_to_json(self.path.read_bytes(), self.files.identity)
        assert done.returncode == 0, done.stderr.decode()
        tree: dict[str, Any] = json.loads(done.stdout)
        assert tree.pop("arcan_place", "shop/prod") == "shop/prod"
        return tree

    def files_with(self, text: str) -> list[Path]:
        """The files of the folder that hold a text in clear."""
        found = [path for path in self.folder.rglob("*") if path.is_file()]
        return [path for path in found if text.encode() in path.read_bytes()]


def assert_error(result: Result, *parts: str, status: int = 1) -> None:
    """The command failed, said the parts on standard error, and showed no value."""
    assert result.status == status, result.err
    assert "Traceback" not in result.err
    assert "unexpected" not in result.err
    assert CANARY not in result.out + result.err
    for part in parts:
        assert part in result.err


def left_in_memory() -> list[Path]:
    """The files of the memory file system that hold the canary: what an edit has left."""
    return [
        path
        for path in SHARED_MEMORY.rglob("*")
        if path.is_file() and path.stat().st_size < 1 << 20 and CANARY.encode() in path.read_bytes()
    ]
