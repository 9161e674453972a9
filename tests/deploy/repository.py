"""A repository with realms and a declared server, and what Kustomize makes of it."""

from __future__ import annotations

import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from arcan_gitops.cli import main
from arcan_gitops.validate.check import judge
from arcan_gitops.validate.kubeconform import Kubeconform
from arcan_gitops.validate.manifests import read_manifests
from arcan_gitops.validate.results import Status
from arcan_gitops.validate.schemaset import SchemaSet, eso_versions
from arcan_gitops.yamlio import emit, read_documents
from tests.support.kustomize import build
from tests.support.live_server import create_token
from tests.support.realm_files import RealmFiles

Manifest = dict[str, Any]
SCHEMAS = SchemaSet(eso_versions()[-1])

IMAGE = "registry.example.com/platform/arcan:1.2.3"
APP = """\
name: shop
realm: production
namespace: shop
token: shop
secrets:
  - {name: shop, keys: [PASSWORD]}
"""


class Done(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


class Repository:
    """realms/ and kustomize/ in a folder, with two realms of two environments each, and one app."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kustomize = folder / "kustomize"
        self.files = RealmFiles(folder)
        for realm in ("production", "platform"):
            for environment in ("prod", "staging"):
                self.files.write(realm, environment, f"PASSWORD: {realm}-{environment}\n")
        self.token = create_token(self.files, "production", "shop")
        (self.kustomize / "apps").mkdir(parents=True)
        (self.kustomize / "apps" / "shop.yaml").write_text(APP)

    def declare(self, deploy: dict[str, Any] | None = None, **settings: Any) -> None:
        """arcan.yaml: a server for overlay `prod`, of `deploy` beside its image."""
        server = {"url": "https://arcan.arcan.svc:9797", "deploy": {"image": IMAGE, **(deploy or {})}}
        overlay = {"environment": "prod", "server": server, **settings}
        (self.kustomize / "arcan.yaml").write_text(emit([{"overlays": {"prod": overlay}}]))

    def generate(self, *options: str) -> Done:
        """`arcan generate overlays`, as a user types it, but for the process of its own."""
        out, err, status = StringIO(), StringIO(), 0
        with (
            chdir(self.folder),
            redirect_stdout(out),
            redirect_stderr(err),
            pytest.MonkeyPatch.context() as own,
        ):
            own.setattr(sys, "argv", ["arcan", "generate", "overlays", *options])
            try:
                main()
            except SystemExit as end:
                status = int(end.code or 0)
        return Done(status, out.getvalue(), err.getvalue())

    def generated(self, deploy: dict[str, Any] | None = None, **settings: Any) -> list[Manifest]:
        """The objects of overlay `prod`, after its settings were written and everything was generated."""
        self.declare(deploy, **settings)
        done = self.generate()
        assert done.returncode == 0, done.stderr
        return self.build()

    def build(self) -> list[Manifest]:
        return kustomize_build(self.kustomize / "overlays" / "prod")


def kustomize_build(folder: Path) -> list[Manifest]:
    """By the oldest and the newest Kustomize."""
    return read_documents(build(folder).encode(), str(folder))


def validated(objects: list[Manifest]) -> None:
    """kubeconform has nothing to say, in strict mode; a kind without a schema is a failure."""
    engine = Kubeconform.find()
    assert engine is not None, "kubeconform is not on PATH: run the tests with 'make test'"
    results = judge(read_manifests(emit(objects).encode(), "built"), engine, SCHEMAS)
    assert len(results) == len(objects)
    assert [result for result in results if result.status is not Status.VALID] == []


def one(objects: list[Manifest], kind: str, name: str = "arcan") -> Manifest:
    (found,) = (thing for thing in objects if thing["kind"] == kind and thing["metadata"]["name"] == name)
    return found


def names(objects: list[Manifest], kind: str) -> list[str]:
    return sorted(thing["metadata"]["name"] for thing in objects if thing["kind"] == kind)


def without_hash(name: str) -> str:
    return name.rpartition("-")[0]
