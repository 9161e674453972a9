"""A repository whose apps read by accounts, and a kubectl that answers from files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.cli import arcan
from arcan_gitops.sops import encrypt
from tests.support.realm_files import CANARY, new_identity

SETTINGS = """\
credentials: account
clusterKeys: eu
overlays:
  dev: {environment: dev}
  prod: {environment: prod}
"""
APP = """\
name: shop
realm: production
namespace: shop
overlays: [prod]
secrets: [{name: shop, keys: [URL]}]
"""
KUBECTL = """\
#!/bin/sh
echo "$*" >> "$0.calls"
case "$*" in
  *openid-configuration*) cat "$0.configuration" ;;
  */openid/v1/jwks*) cat "$0.jwks" ;;
  *"get secrets"*) cat "$0.secrets" ;;
  *) echo "unknown: $*" >&2; exit 1 ;;
esac
"""


def run(*arguments: str) -> Result:
    """The command, with its output and errors; an error of ours is `exception`."""
    return CliRunner().invoke(arcan, list(arguments))


def lay_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two environments, two overlays, one app; the current folder from now on."""
    realm = folder / "realms/production"
    realm.mkdir(parents=True)
    _, recipient = new_identity()
    for environment in ("dev", "prod"):
        document = encrypt({"URL": CANARY, "PASSWORD": CANARY}, recipients=[recipient])
        (realm / f"{environment}.sops.yaml").write_bytes(document)
    (folder / "kustomize/apps").mkdir(parents=True)
    (folder / "kustomize/arcan.yaml").write_text(SETTINGS)
    (folder / "kustomize/apps/shop.yaml").write_text(APP)
    monkeypatch.chdir(folder)
    return folder


class AnsweringKubectl:
    """The program on PATH; what it answers to each question is a file."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        self._program = folder / "kubectl"
        self._program.write_text(KUBECTL)
        self._program.chmod(0o700)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def answers(self, question: str, answer: object) -> None:
        Path(f"{self._program}.{question}").write_text(json.dumps(answer))

    @property
    def calls(self) -> str:
        return Path(f"{self._program}.calls").read_text()
