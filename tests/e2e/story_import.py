"""A team moves: its secrets out of a real OpenBao and a real cluster, into a realm, and its apps with them."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.overlay import App
from tests.e2e.api_server import ApiServer
from tests.e2e.openbao import OpenBao
from tests.e2e.programs import Programs
from tests.support.live_server import ARCAN
from tests.support.realm_files import CANARY, RealmFiles, decrypt_to_json


class Mover:
    """A repository with a `.sops.yaml` and nothing else, and who works in it."""

    def __init__(self, folder: Path, **variables: str) -> None:
        folder.mkdir()
        self.folder, self._variables = folder, variables
        self.files = RealmFiles(folder)
        self.files.root.rmdir()
        (folder / ".sops.yaml").write_text(f"creation_rules:\n  - age: {self.files.recipient}\n")

    def move(self, system: str, *options: str) -> tuple[int, str]:
        """Run `arcan import` into the document of shop/prod; exit status and report."""
        path = {"HOME": str(self.folder), "PATH": os.environ["PATH"]}
        done = subprocess.run(
            [*ARCAN, "import", system, "shop", "--env=prod", "--layout=document", *options], cwd=self.folder, check=False,
            env={**path, "SOPS_AGE_KEY_FILE": str(self.files.identity_file), **self._variables},
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert CANARY not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    def values(self) -> dict[str, Any]:
        done = decrypt_to_json(self.files.path("shop", "prod").read_bytes(), self.files.identity)
        assert done.returncode == 0, done.stderr.decode()
        values: dict[str, Any] = json.loads(done.stdout)
        assert values.pop("arcan_place") == "shop/prod"
        return values


@pytest.mark.parametrize("version", [1, 2])
def test_what_is_in_openbao_lands_in_a_realm_with_the_apps_that_read_it(
    version: int, programs: Programs, tmp_path: Path
) -> None:
    with OpenBao(programs, tmp_path) as bao:
        bao.call("POST", "sys/mounts/shop", {"type": "kv", "options": {"version": str(version)}})
        data = "shop/data" if version == 2 else "shop"

        def put(path: str, **fields: Any) -> None:
            bao.call("POST", f"{data}/{path}", {"data": fields} if version == 2 else fields)

        put("myapp", api_key=f"{CANARY}-api")
        put("myapp/db", user="shop", password=f"{CANARY}-db", port=5432, options={"b": [1, True]})
        put("myapp/deep/er/still", **{"a b": f"{CANARY}-deep"})
        put("gone", value=CANARY)
        bao.call("DELETE", f"{data}/gone")
        mover = Mover(tmp_path / "git", VAULT_ADDR=bao.address, VAULT_TOKEN=bao.token)
        (mover.folder / "es.yaml").write_text(
            """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: shop, namespace: shop}
spec:
  secretStoreRef: {name: vault, kind: ClusterSecretStore}
  data:
    - {secretKey: PASSWORD, remoteRef: {key: shop/data/myapp/db, property: password}}
  dataFrom:
    - extract: {key: myapp}
""".replace("shop/data/", "shop/data/" if version == 2 else "shop/")
        )
        status, report = mover.move("vault", "--mount=shop", "--external-secrets=es.yaml")
        assert status == 0, report
        assert mover.values() == {
            "myapp.api_key": f"{CANARY}-api",
            "myapp.db.options": '{"b":[1,true]}',
            "myapp.db.password": f"{CANARY}-db",
            "myapp.db.port": "5432",
            "myapp.db.user": "shop",
            "myapp.deep.er.still.a_b": f"{CANARY}-deep",
        }
        assert ("its newest version is deleted" in report) is (version == 2)
        app = App.parse((mover.folder / "kustomize/apps/shop.yaml").read_bytes(), "shop.yaml")
        assert {(key.key, name) for one in app.secrets for name, key in (one.keys or {}).items()} == {
            ("myapp.db.password", "PASSWORD"), ("myapp.api_key", "api_key"),
        }  # fmt: skip
        before = mover.files.path("shop", "prod").read_bytes()
        status, report = mover.move("vault", "--mount=shop", "--external-secrets=es.yaml")
        assert (status, mover.files.path("shop", "prod").read_bytes()) == (0, before)
        assert "unchanged kustomize/apps/shop.yaml" in report


def test_a_token_that_may_read_one_path_brings_that_path(programs: Programs, tmp_path: Path) -> None:
    with OpenBao(programs, tmp_path) as bao:
        for path in ("mine/a", "theirs/b"):
            bao.call("POST", f"secret/data/{path}", {"data": {"key": f"{CANARY}-{path}"}})
        rules = 'path "secret/data/mine/*" {capabilities = ["read"]}\n' \
                'path "secret/metadata/*" {capabilities = ["list"]}\n' \
                'path "secret/metadata/" {capabilities = ["list"]}'  # fmt: skip
        bao.call("PUT", "sys/policies/acl/mine", {"policy": rules})
        token = bao.call("POST", "auth/token/create", {"policies": ["mine"]})["auth"]["client_token"]
        mover = Mover(tmp_path / "git", VAULT_ADDR=bao.address, VAULT_TOKEN=token)
        status, report = mover.move("vault")
        assert (status, mover.values()) == (1, {"mine.a.key": f"{CANARY}-mine/a"})
        assert "failed    theirs/b (cannot be read: permission denied (403))" in report


def test_the_secrets_of_a_cluster_land_with_the_apps_that_eso_made_them_for(
    api: ApiServer, programs: Programs, tmp_path: Path
) -> None:
    api.install_crds([programs["crds"]])
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "moving"}})
    encoded = base64.b64encode(f"{CANARY}-db".encode()).decode()
    many = {f"many-{number:03}": {"value": encoded} for number in range(120)}
    data = {"backend": {"DATABASE_URL": encoded, "blob": base64.b64encode(b"\xff\x00").decode()}, **many}
    api.apply(
        *({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "moving"}, "data": values}
          for name, values in data.items()),
        {"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "data": {"release": encoded},
         "metadata": {"name": "sh.helm.release.v1.shop.v1", "namespace": "moving"}},
        {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
         "metadata": {"name": "shop", "namespace": "moving"},
         "spec": {"secretStoreRef": {"name": "vault"}, "target": {"name": "backend"},
                  "data": [{"secretKey": "DATABASE_URL", "remoteRef": {"key": "x"}}]}},
    )  # fmt: skip
    mover = Mover(tmp_path / "git", KUBECONFIG=str(api.kubeconfig))
    status, report = mover.move("kubernetes", "--namespace=moving", "--adopt")
    assert status == 0, report
    values = mover.values()
    assert len(values) == 122
    assert values["backend.DATABASE_URL"] == f"{CANARY}-db"
    assert values["backend.blob"] == base64.b64encode(b"\xff\x00").decode()
    assert "skipped   sh.helm.release.v1.shop.v1 (a release of Helm's, which Helm makes)" in report
    path = mover.folder / "kustomize/apps/moving.yaml"
    (secret,) = App.parse(path.read_bytes(), path.name).secrets
    assert [(key.key, name, key.decode) for name, key in (secret.keys or {}).items()] == [
        ("backend.DATABASE_URL", "DATABASE_URL", "None"), ("backend.blob", "blob", "Base64"),
    ]  # fmt: skip
