"""Secrets that are not in Git: in a real OpenBao, and behind any HTTP endpoint; and how an app moves."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.conftest import NewTeam
from tests.e2e.openbao import OpenBao
from tests.e2e.programs import Programs

KEY = "prod/myapp"
FIELDS = {"user": "anna", "password": "p:w"}
POLICY = 'path "*" {capabilities = ["read"]}'


@pytest.fixture
def bao(programs: Programs, tmp_path: Path) -> Iterator[OpenBao]:
    """With the same secret in both versions of its key-value engine."""
    with OpenBao(programs, tmp_path) as bao:
        bao.call("POST", f"secret/data/{KEY}", {"data": FIELDS})
        bao.call("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
        bao.call("POST", f"old/{KEY}", FIELDS)
        bao.call("PUT", "sys/policies/acl/read", {"policy": POLICY})
        yield bao


def make_secret(cluster: Cluster, namespace: str, name: str, **texts: str) -> None:
    """Without the label that a webhook store asks for: other stores do not."""
    metadata = {"name": name, "namespace": namespace}
    cluster.api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": texts})


def with_token(cluster: Cluster, bao: OpenBao, namespace: str) -> Mapping[str, Any]:
    make_secret(cluster, namespace, "vault-token", token=bao.token)
    return {"tokenSecretRef": {"name": "vault-token", "key": "token"}}


def with_app_role(cluster: Cluster, bao: OpenBao, namespace: str) -> Mapping[str, Any]:
    bao.call("POST", "sys/auth/approle", {"type": "approle"})
    bao.call("POST", "auth/approle/role/eso", {"token_policies": "read"})
    role = bao.call("GET", "auth/approle/role/eso/role-id")["data"]["role_id"]
    secret = bao.call("POST", "auth/approle/role/eso/secret-id", {})["data"]["secret_id"]
    make_secret(cluster, namespace, "approle", role=role, secret=secret)
    refs = {
        name: {"name": "approle", "key": key} for name, key in (("roleRef", "role"), ("secretRef", "secret"))
    }
    return {"appRole": refs}


def with_service_account(cluster: Cluster, bao: OpenBao, namespace: str) -> Mapping[str, Any]:
    """OpenBao asks the API server whose token it is, and does so with that token itself."""
    bao.call("POST", "sys/auth/kubernetes", {"type": "kubernetes"})
    host = {"kubernetes_host": cluster.api.url, "kubernetes_ca_cert": cluster.api.certificate.read_text()}
    bao.call("POST", "auth/kubernetes/config", {**host, "disable_local_ca_jwt": True})
    bound = {"bound_service_account_names": "eso", "bound_service_account_namespaces": namespace}
    bao.call("POST", "auth/kubernetes/role/eso", {**bound, "token_policies": "read"})
    account = {"name": "eso", "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:auth-delegator"}
    cluster.api.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"reviews-of-{namespace}"},
            "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", **account}],
        },
    )
    return {"kubernetes": {"role": "eso", "serviceAccountRef": {"name": "eso"}}}


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    "log_in", [with_token, with_app_role, with_service_account], ids=lambda way: way.__name__
)
def test_an_app_reads_vault_however_it_logs_in(
    new_team: NewTeam, cluster: Cluster, bao: OpenBao, log_in: Any, version: str
) -> None:
    namespace = f"vault-{version}-{log_in.__name__.replace('_', '-')}"
    cluster.make_namespace(namespace)
    vault = {"server": bao.address, "path": {"v1": "old", "v2": "secret"}[version], "version": version}
    auth = log_in(cluster, bao, namespace)
    team = new_team({"A": "1"}, stores={"vault": {"vault": {**vault, "auth": auth}}})
    one = {"name": "one", "keys": [{"key": KEY, "property": "password"}]}
    everything = {"name": "everything", "extract": [KEY]}
    team.declare("myapp", namespace, one, everything, store="vault")
    team.deploy()
    cluster.wait_for_secret(namespace, "one", {"password": "p:w"})
    cluster.wait_for_secret(namespace, "everything", FIELDS)
    cluster.api.assert_nothing_differs(team.overlay)


def test_an_app_moves_from_vault_to_git_and_its_secret_is_there_all_along(
    new_team: NewTeam, cluster: Cluster, bao: OpenBao
) -> None:
    """One app at a time: the other one stays where it was."""
    cluster.make_namespace("moves")
    auth = with_token(cluster, bao, "moves")
    vault = {"server": bao.address, "path": "secret", "auth": auth}
    team = new_team({"MYAPP_PASSWORD": "p:w"}, stores={"vault": {"vault": vault}})
    team.make_token("mover", "moves")
    before = {"keys": [{"key": KEY, "property": "password", "as": "password"}]}
    for app in ("mover", "stayer"):
        team.declare(app, "moves", {"name": app, **before}, store="vault")
    team.deploy()
    for app in ("mover", "stayer"):
        cluster.wait_for_secret("moves", app, {"password": "p:w"})
    made = {app: cluster.object("moves", "secret", app)["metadata"]["uid"] for app in ("mover", "stayer")}
    team.declare("mover", "moves", {"name": "mover", "keys": [{"key": "MYAPP_PASSWORD", "as": "password"}]})
    team.deploy()
    team.merge({"MYAPP_PASSWORD": "from Git"})
    team.roll_out()
    team.deploy()
    cluster.wait_for_secret("moves", "mover", {"password": "from Git"})
    cluster.wait_for_secret("moves", "stayer", {"password": "p:w"})
    for app, uid in made.items():
        assert cluster.object("moves", "secret", app)["metadata"]["uid"] == uid  # never deleted and made anew


class Endpoint(BaseHTTPRequestHandler):
    """Somebody's own: all secrets in one document, for whoever has the token."""

    def do_GET(self) -> None:
        allowed = self.headers["Authorization"] == "Bearer endpoint-token" and self.path == "/secrets"
        body = json.dumps({"secrets": [FIELDS]} if allowed else {"error": "no"}).encode()
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nowhere."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/secrets"
    server.shutdown()
    server.server_close()


def test_an_app_reads_any_http_endpoint(new_team: NewTeam, cluster: Cluster, endpoint: str) -> None:
    store = {
        "url": endpoint,
        "headers": {"Authorization": "Bearer {{ .auth.token | trim }}"},
        "secrets": [{"name": "auth", "secretRef": {"name": "endpoint-token", "key": "token"}}],
        "result": {"jsonPath": '$["secrets"][0]["{{ .remoteRef.key }}"]'},
    }
    team = new_team({"A": "1"}, stores={"webhook": {"endpoint": store}})
    cluster.make_namespace("webhook")
    make_secret(cluster, "webhook", "endpoint-token", token="endpoint-token\n")
    label = "external-secrets.io/type=webhook"
    cluster.api.kubectl("label", "secret", "endpoint-token", "-n", "webhook", label)
    team.declare("web", "webhook", {"name": "web", "keys": list(FIELDS)}, store="endpoint")
    team.deploy()
    seen = cluster.sync("webhook")
    assert seen["webhook", "web"].texts == FIELDS
    make_secret(cluster, "webhook", "endpoint-token", token="another")
    seen = cluster.sync("webhook")
    assert (seen["webhook", "web"].reason, seen["webhook", "web"].texts) == ("SecretSyncedError", FIELDS)
