"""Accounts on a real Kubernetes: it fills the Secrets of Git, its policies refuse foreign ones, its tokens read."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.yamlio import emit
from tests.e2e.account_secrets import CASES, FOREIGN, UPDATES, secret
from tests.e2e.api_server import ApiServer
from tests.e2e.controllers import Controllers
from tests.e2e.process import wait_until
from tests.e2e.programs import Programs
from tests.support.live_server import ARCAN, LiveServer
from tests.support.realm_files import CANARY, RealmFiles

TARGET = "/api/v1/eso/production/URL?env=prod"


@pytest.fixture(scope="module")
def place(folder: Path) -> Path:
    place = folder / "accounts"
    place.mkdir()
    return place


@pytest.fixture(scope="module")
def api(programs: Programs, place: Path, kustomize: Path) -> Iterator[ApiServer]:
    """With the policies of the component, and the controller that fills Secrets."""
    server = kustomize / "server"
    server.mkdir()
    body = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../base/arcan"],
        "components": ["../components/policies/validating-admission-policy"],
    }
    (server / "kustomization.yaml").write_text(emit([body]))
    with ApiServer(programs, place) as api, Controllers(programs, api, place):
        api.install_crds([programs["crds"]])
        for name in ("shop", "other"):
            api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            account = {"name": "default", "namespace": name}
            api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
        api.apply_from_git(server)
        wait_until("the policy is in force", lambda: FOREIGN in create(api, CASES[2][1]).stderr)
        yield api


def create(api: ApiServer, manifest: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
    return api.try_kubectl("create", "--dry-run=server", "-f", "-", data=emit([manifest]))


@pytest.mark.parametrize(("name", "manifest", "refusal"), CASES, ids=[name for name, _, _ in CASES])
def test_the_api_server_takes_the_secrets_of_our_accounts_alone(
    api: ApiServer, name: str, manifest: Mapping[str, Any], refusal: str
) -> None:
    done = create(api, manifest)
    assert (done.returncode == 0) == (not refusal), f"{name}: {done.stderr}"
    assert refusal in done.stderr


def test_a_label_or_an_account_that_comes_later_is_judged_too(api: ApiServer) -> None:
    unlabelled = secret("later", "default", labels={})
    api.kubectl("create", "-f", "-", data=emit([unlabelled]))
    done = api.try_kubectl("label", "secret/later", "--namespace=shop", "external-secrets.io/type=webhook")
    assert FOREIGN in done.stderr
    account = {"name": "arcan-reader", "namespace": "other"}
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    api.kubectl("create", "-f", "-", data=emit([secret("turns", "arcan-reader", namespace="other")]))
    wait_until("it is filled", lambda: token_of(api, "other", "turns"))
    done = api.try_kubectl(
        "annotate", "secret/turns", "--namespace=other", "--overwrite",
        "kubernetes.io/service-account.name=default",
    )  # fmt: skip
    assert FOREIGN in done.stderr


def token_of(api: ApiServer, namespace: str, name: str) -> str:
    found = api.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    return base64.b64decode(((found or {}).get("data") or {}).get("token", "")).decode()


class Project:
    """A repository whose app reads by an account, and the server of it."""

    def __init__(self, folder: Path, api: ApiServer) -> None:
        self.folder, self.api = folder, api
        self.files = RealmFiles(folder)
        self.files.write("production", "prod", f"URL: {CANARY}\nPASSWORD: {CANARY}\n")
        (folder / "kustomize/apps").mkdir(parents=True)
        (folder / "kustomize/arcan.yaml").write_text(
            "server: {url: 'https://arcan.arcan.svc:9797'}\n"
            "credentials: account\nclusterKeys: eu\noverlays: {prod: {environment: prod}}\n"
        )
        (folder / "kustomize/apps/shop.yaml").write_text(
            "name: shop\nrealm: production\nnamespace: shop\nsecrets: [{name: shop, keys: [URL]}]\n"
        )

    def arcan(self, *arguments: str) -> str:
        environment = {**os.environ, **self.api.for_kubectl}
        done = subprocess.run(
            [*ARCAN, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def server(self) -> LiveServer:
        return LiveServer(self.files, self.folder / "server", "--clusters", str(self.folder / "clusters"))


def last_line(server: LiveServer) -> dict[str, Any]:
    return [line for line in server.audit if "request_id" in line][-1]


def test_kubernetes_makes_the_credential_and_git_says_what_it_reads(api: ApiServer, tmp_path: Path) -> None:
    project = Project(tmp_path, api)
    project.arcan("cluster", "add", "eu")
    project.arcan("account", "add", "eu/shop/arcan-reader", "--realm=production")
    project.arcan("generate", "overlays")
    made = tmp_path / "kustomize/overlays/prod/shop"
    began = time.monotonic()
    api.apply_from_git(made)
    wait_until("Kubernetes has filled it", lambda: token_of(api, "shop", "arcan-reader"))
    print(f"\nfilled after {time.monotonic() - began:.1f} s")
    api.assert_nothing_differs(made)
    token = token_of(api, "shop", "arcan-reader")

    def bound(audience: str, namespace: str = "shop") -> str:
        return api.kubectl(
            "create", "token", "arcan-reader", f"--namespace={namespace}", f"--audience={audience}"
        ).strip()

    with project.server() as server:
        for good in (token, bound("arcan")):
            assert server.get(TARGET, good).json == {"value": CANARY}
            line = last_line(server)
            assert (line["cluster"], line["namespace"], line["account"]) == ("eu", "shop", "arcan-reader")
        assert server.get("/api/v1/eso/production/PASSWORD?env=prod", token).status == 403
        account = {"name": "arcan-reader", "namespace": "other"}
        api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
        for bad, reason, claimed in (
            (bound("vault"), "wrong_audience", "eu/shop/arcan-reader"),
            (bound("arcan", "other"), "unknown_account", "eu/other/arcan-reader"),
        ):
            assert server.get(TARGET, bad).status == 401
            assert (last_line(server)["reason"], last_line(server)["claimed_account"]) == (reason, claimed)

        states = project.arcan("cluster", "check", "eu").splitlines()
        assert all("\tkey " in state for state in states)
        assert any(state.startswith("shop/arcan-reader\t") for state in states)

        uid = api.get("/api/v1/namespaces/shop/serviceaccounts/arcan-reader")["metadata"]["uid"]
        api.kubectl("delete", "serviceaccount", "arcan-reader", "--namespace=shop")
        wait_until("the Secret went with it", lambda: not token_of(api, "shop", "arcan-reader"))
        api.apply_from_git(made)
        wait_until("it is filled again", lambda: token_of(api, "shop", "arcan-reader"))
        again = api.get("/api/v1/namespaces/shop/serviceaccounts/arcan-reader")["metadata"]["uid"]
        assert again != uid
        assert server.get(TARGET, token_of(api, "shop", "arcan-reader")).json == {"value": CANARY}
        project.arcan("account", "remove", "eu/shop/arcan-reader", "--yes")
        server.wait(lambda: server.get(TARGET, token).status == 401)
        for each in (token, token_of(api, "shop", "arcan-reader")):
            assert each not in server.log + server.audit_path.read_text()


def by_gatekeeper(
    programs: Programs,
    kustomize: Path,
    folder: Path,
    operation: str,
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any],
    refusal: str,
) -> None:
    """Raise `AssertionError` where Gatekeeper's own program says otherwise."""
    request = {
        "uid": "1", "operation": operation, "name": "one", "namespace": "shop",
        "kind": {"group": "", "version": "v1", "kind": "Secret"},
        "object": new, **({} if old is None else {"oldObject": old}),
    }  # fmt: skip
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    assertion = {"violations": 1, "message": f"^{refusal}$"} if refusal else {"violations": "no"}
    policy = kustomize / "components" / "policies" / "gatekeeper"
    suite = {
        "apiVersion": "test.gatekeeper.sh/v1alpha1", "kind": "Suite",
        "tests": [
            {
                "name": "accounts", "template": "accounts-template.yaml",
                "constraint": "accounts-constraint.yaml",
                "cases": [{"name": "one", "object": "review.yaml", "assertions": [assertion]}],
            }
        ],
    }  # fmt: skip
    for name in ("accounts-template.yaml", "accounts-constraint.yaml"):
        (folder / name).write_bytes((policy / name).read_bytes())
    (folder / "review.yaml").write_text(json.dumps(review))
    (folder / "suite.yaml").write_text(emit([suite]))
    done = subprocess.run(
        [str(programs["gator"]), "verify", str(folder / "suite.yaml"), "--verbose"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert "--- PASS: one" in done.stdout


@pytest.mark.parametrize(("name", "manifest", "refusal"), CASES, ids=[name for name, _, _ in CASES])
def test_gatekeeper_takes_the_secrets_of_our_accounts_alone(
    programs: Programs, kustomize: Path, tmp_path: Path, name: str, manifest: Mapping[str, Any], refusal: str
) -> None:
    by_gatekeeper(programs, kustomize, tmp_path, "CREATE", None, manifest, refusal)


@pytest.mark.parametrize(("name", "old", "new", "refusal"), UPDATES, ids=[each[0] for each in UPDATES])
def test_gatekeeper_lets_kubernetes_fill_ours_and_judges_what_changes(
    programs: Programs,
    kustomize: Path,
    tmp_path: Path,
    name: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    refusal: str,
) -> None:
    by_gatekeeper(programs, kustomize, tmp_path, "UPDATE", old, new, refusal)
