"""A project whose two apps read a Vault, so that no realm is needed, and `arcan` in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from arcan_gitops.cli import main

SETTINGS: Final = """\
stores:
  vault:
    vault:
      server: https://vault.example.com:8200
      path: secret
      auth: {kubernetes: {role: eso, serviceAccountRef: {name: eso}}}
overlays:
  prod: {environment: prod}
"""
APP: Final = """\
name: {name}
store: vault
namespace: {name}
secrets:
  - name: {name}
    keys: [{{key: a, property: b, as: pw}}]
"""


class Ran(NamedTuple):
    status: int
    out: str
    err: str


class DeclaredApps:
    """Apps `shop` and `mailer`, each in a namespace of its name."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self._monkeypatch, self._capsys = monkeypatch, capsys
        monkeypatch.chdir(folder)
        self.app("shop").parent.mkdir(parents=True)
        (folder / "kustomize/arcan.yaml").write_text(SETTINGS)
        for name in ("shop", "mailer"):
            self.app(name).write_text(APP.format(name=name))

    def app(self, name: str) -> Path:
        """The file of an app."""
        return self.folder / f"kustomize/apps/{name}.yaml"

    def files(self) -> dict[str, str]:
        """All files below kustomize/, with what is in them."""
        found = (path for path in sorted((self.folder / "kustomize").rglob("*")) if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_text() for path in found}

    def __call__(self, *arguments: str) -> Ran:
        """`arcan` with these arguments, in this process."""
        self._monkeypatch.setattr(sys, "argv", ["arcan", *arguments])
        with pytest.raises(SystemExit) as exited:
            main()
        captured = self._capsys.readouterr()
        assert "unexpected" not in captured.err
        return Ran(int(exited.value.code or 0), captured.out, captured.err)
