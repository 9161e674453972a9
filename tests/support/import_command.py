"""`arcan import` as a person types it, with a `.sops.yaml` and an identity at hand, and no realm yet."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.cli import main
from tests.support.realm_files import CANARY, RealmFiles, decrypt_to_json
from tests.support.secret_command import Result

_HIDDEN = (
    "SOPS_",
    "ARCAN_",
    "XDG_",
    "VAULT_",
    "AWS_",
    "INFISICAL_",
    "KUBE",
    "HTTP_",
    "HTTPS_",
    "http_",
    "https_",
)


class ImportCommand:
    """Whatever a library logs is heard here, at every level, and must not have the canary in it."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.files = RealmFiles(folder)
        self.files.root.rmdir()
        (folder / ".sops.yaml").write_text(f"creation_rules:\n  - age: {self.files.recipient}\n")
        for name in [name for name in os.environ if name.startswith(_HIDDEN)]:
            monkeypatch.delenv(name)
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        variables = {"HOME": str(folder), "COLUMNS": "200", "TMPDIR": str(self.temporary), "NO_PROXY": "*",
                     "SOPS_AGE_KEY_FILE": str(self.files.identity_file)}  # fmt: skip
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)

    def __call__(self, *arguments: str, stdin: bytes = b"", **variables: str) -> Result:
        """In this process, into the document of `shop/prod`: system, then its options."""
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)
        system, *options = arguments
        command = ["arcan", "import", system, "shop", "--env=prod", "--layout=document", *options]
        self._monkeypatch.setattr(sys, "argv", command)
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        heard = io.StringIO()
        handler = logging.StreamHandler(heard)
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(1)
        try:
            with pytest.raises(SystemExit) as status:
                main()
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
        assert isinstance(status.value.code, int)
        result = Result(status.value.code, *self._capsys.readouterr())
        for text in (result.out, result.err, heard.getvalue()):
            assert CANARY not in text
            assert "Traceback" not in text
        assert "unexpected" not in result.err, result.err
        self.assert_nothing_in_clear()
        return result

    def assert_nothing_in_clear(self) -> None:
        """But for what a test itself has put there: `*.env` and the kubeconfig."""
        found = [
            path for path in self.folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()
        ]
        assert [path for path in found if path.suffix not in (".env", ".kubeconfig")] == []

    @property
    def path(self) -> Path:
        return self.files.path("shop", "prod")

    def seen_by_sops(self) -> dict[str, Any]:
        """The values that the real sops reads, but for the place that the document is bound to."""
        done = decrypt_to_json(self.path.read_bytes(), self.files.identity)
        assert done.returncode == 0, done.stderr.decode()
        tree: dict[str, Any] = json.loads(done.stdout)
        assert tree.pop("arcan_place", "shop/prod") == "shop/prod"
        return tree
