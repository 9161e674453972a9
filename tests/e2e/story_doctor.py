"""Each fault made for real, against the API server and the operator: the doctor names it, and then nothing."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from arcan_gitops.yamlio import emit, read_documents
from tests.e2e.api_server import ApiServer
from tests.e2e.cluster import Cluster
from tests.e2e.conftest import NewTeam
from tests.e2e.patient import APP, CANARY, UP, VALUES, NewPatient, Patient, operator_stopped, running
from tests.e2e.process import free_ports, wait_until
from tests.e2e.programs import Programs
from tests.eso.endpoint import make_authority, serving
from tests.support.live_server import ARCAN


def test_tokens(new_patient: NewPatient) -> None:
    patient = new_patient("doctor-tokens")
    patient.assert_well()
    with patient.spoilt("secret", "arcan-credentials") as secret:
        patient.api.kubectl(
            "label", "secret", "arcan-credentials", "external-secrets.io/type-", "-n", patient.namespace
        )
        fix = patient.names("token-label", "lacks the label")["fix"][0]
        subprocess.run(["sh", "-ec", fix], check=True, env=patient.api_environment, capture_output=True)
        patient.assert_well()

        token = secret["data"].pop("token")
        patient.replace("secret", {**secret, "data": {"tok": token}})
        patient.names("token-key", "it has: tok")

        patient.replace("secret", {**secret, "data": {}, "stringData": {"token": "arcan_REPLACE_ME"}})
        patient.names("token-form", "placeholder", beside=("answer",))

        patient.api.kubectl("delete", "secret", "arcan-credentials", "-n", patient.namespace)
        patient.names("token-secret", "is not there")
    patient.heal()


def test_a_token_with_a_line_break(new_patient: NewPatient) -> None:
    patient = new_patient("doctor-break")
    with (
        patient.spoilt("secret", "arcan-credentials") as secret,
        patient.spoilt("secretstore", "arcan") as store,
    ):
        import base64

        text = base64.b64decode(secret["data"]["token"]) + b"\n"
        secret["data"]["token"] = base64.b64encode(text).decode()
        patient.replace("secret", secret)
        patient.assert_well()  # the store trims it
        webhook = store["spec"]["provider"]["webhook"]
        webhook["headers"]["Authorization"] = "Bearer {{ .auth.token }}"
        patient.replace("secretstore", store)
        patient.names("token-form", "has a line break", beside=("store-ready",))
    patient.heal()


def test_a_token_that_is_revoked_or_too_narrow(new_patient: NewPatient) -> None:
    patient = new_patient("doctor-revoked")
    with patient.spoilt("secret", "arcan-credentials"):
        patient.team.revoke("app")
        finding = patient.names("token-known", "is in no tokens.yaml", beside=("answer",))
        assert "arcan token list --realm production" in finding["fix"]
        patient.team.make_token("app", patient.namespace, key="B")
        found = patient.findings()
        assert (
            "may not read production/prod/A" in found["token-scope"]["what"]
            or "all keys" in found["token-scope"]["what"]
        )
        assert set(found) <= {"token-scope", "answer"}


def test_cas(new_patient: NewPatient, tmp_path: Path) -> None:
    patient = new_patient("doctor-cas")
    with patient.spoilt("configmap", "arcan-ca") as config_map:
        patient.replace("configmap", {**config_map, "data": {"ca": config_map["data"]["ca.crt"]}})
        patient.names("ca-object", "has no key ca.crt")
        patient.replace("configmap", {**config_map, "data": {"ca.crt": "nonsense"}})
        patient.names("ca-content", "holds no certificate")
        patient.replace("configmap", {**config_map, "data": {"ca.crt": make_authority(tmp_path).ca}})
        finding = patient.names("tls-chain", "and the store trusts 'throw-away CA'")
        leaf = (patient.team.folder / "server/data/tls/server.crt").read_text()
        first = leaf[: leaf.index("-----END") + len("-----END CERTIFICATE-----\n")]
        patient.replace("configmap", {**config_map, "data": {"ca.crt": first}})
        assert patient.names("ca-content", "a server's own certificate and no CA")["severity"] == "warning"
        patient.api.kubectl("delete", "configmap", "arcan-ca", "-n", patient.namespace)
        finding = patient.names("ca-object", "is not there")
        for command in finding["fix"]:  # what is printed mends it
            done = subprocess.run(
                ["sh", "-ec", command.replace("arcan ", f"{ARCAN[0]} -c '{ARCAN[2]}' ", 1) if command.startswith("arcan ") else command],
                check=False, cwd=tmp_path, env=patient.api_environment, capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
        patient.heal()


def test_the_network(new_patient: NewPatient) -> None:
    patient = new_patient("doctor-network")
    port = patient.team.port
    (closed,) = free_ports(1)
    with serving(None) as plain, patient.spoilt("secretstore", "arcan") as store:
        webhook = store["spec"]["provider"]["webhook"]
        url = webhook["url"]
        for check, host, words in (
            ("dns", f"nowhere.invalid:{port}", "does not resolve"),
            ("tcp", f"127.0.0.1:{closed}", "nothing answers there"),
            ("tls", f"127.0.0.1:{plain.port}", "does not speak TLS"),
        ):
            webhook["url"] = url.replace(f"127.0.0.1:{port}", host)
            patient.replace("secretstore", store)
            patient.names(check, words)
        webhook["url"] = url.replace("https://", "http://")
        patient.replace("secretstore", store)
        assert "plain-http" in patient.findings()
    patient.heal()


def test_names(new_patient: NewPatient) -> None:
    patient = new_patient("doctor-names")
    for right, wrong, words in (
        ("eso/production", "eso/prodction", "did you mean 'production'?"),
        ("env=prod", "env=prd", "did you mean 'prod'?"),
    ):
        patient.team.apply_with_typo(right, wrong)
        found = patient.report()["findings"]
        assert {one["check"] for one in found} <= {"known-names", "answer"}
        assert all(words in one["what"] for one in found if one["check"] == "known-names")
        assert any(one["check"] == "known-names" for one in found)
        patient.team.deploy()
    for change, check, words in (
        ({"path": "/spec/data/0/remoteRef/key", "value": "AA"}, "known-names", "asks for key 'AA'"),
        ({"path": "/spec/secretStoreRef/name", "value": "arcn"}, "store-exists", "did you mean 'arcan'?"),
        (
            {"path": "/spec/secretStoreRef/kind", "value": "ClusterSecretStore"},
            "store-exists",
            "is a SecretStore",
        ),
    ):
        with patient.spoilt("externalsecret", APP):
            patient.patch("externalsecret", APP, {"op": "replace", **change})
            patient.names(check, words, beside=("answer",))
    with patient.spoilt("secretstore", "arcan"):
        path = {"op": "replace", "path": "/spec/provider/webhook/result/jsonPath", "value": '$["val"]'}
        patient.patch("secretstore", "arcan", path)
        patient.names("shape", "the answer has no such member")
        header = {"op": "add", "path": "/spec/provider/webhook/headers/X-Token", "value": CANARY}
        patient.patch("secretstore", "arcan", header)
        assert "(ARC032)" in patient.names("manifests", "", beside=("shape",))["what"]
    patient.team.deploy()
    patient.heal()


def test_versions_and_what_is_not_applied(new_patient: NewPatient, cluster: Cluster) -> None:
    patient = new_patient("doctor-versions")
    patient.team.merge({**VALUES, "A": f"{CANARY}-new"})
    patient.team.roll_out()
    report = patient.report()
    assert {one["check"] for one in report["findings"]} == {"version", "answer"}
    said = [one["what"] for one in report["findings"] if one["check"] == "version"]
    assert any("names another version of A than Git here" in what for what in said)
    assert any("the manifest is behind Git" in one["what"] for one in report["findings"])
    patient.team.arcan("generate", "overlays")
    patient.team.deploy()
    patient.sync()
    patient.assert_well()
    patient.api.kubectl("delete", "externalsecret", APP, "-n", patient.namespace)
    patient.names("applied", "what is generated was not applied", patient.name)
    absent = patient.findings("doctor-nowhere/app")
    assert "namespace doctor-nowhere is not there" in absent["applied"]["what"]
    patient.team.deploy()
    patient.heal()


def test_a_value_that_changed_where_eso_was_told_not_to_look(new_team: NewTeam, cluster: Cluster) -> None:
    team = new_team(VALUES)
    cluster.make_namespace("doctor-once")
    team.make_token("app", "doctor-once")
    team.declare("app", "doctor-once", {"name": APP, "keys": ["A"], "refreshPolicy": "CreatedOnce"})
    team.deploy()
    cluster.wait_for_secret("doctor-once", APP, {"A": VALUES["A"]})
    patient = Patient(team, "doctor-once")
    patient.assert_well()
    team.merge({**VALUES, "A": f"{CANARY}-new"})
    team.roll_out()
    team.deploy()
    finding = patient.names("target-current", "is not what the server has now")
    assert "CreatedOnce" in finding["what"]


def test_what_only_waits(new_patient: NewPatient) -> None:
    """The server was away, and is back; ESO has not tried again yet."""
    patient = new_patient("doctor-waiting")
    team = patient.team
    team.server.process.kill()
    team.server.process.wait()
    for _ in range(8):  # each failure doubles the time until ESO tries again by itself
        patient.sync()
    patient.names("tcp", "nothing answers there")
    team.restart_server()
    finding = patient.names("waiting", "ESO only waits")
    assert finding["severity"] == "warning"
    assert finding["fix"] == ["arcan sync app --overlay prod --run"]
    team.arcan(*finding["fix"][0].split()[1:])
    wait_until("the doctor finds nothing", lambda: patient.report()["findings"] == [])


def test_cluster_stores(new_team: NewTeam, cluster: Cluster) -> None:
    team = new_team(
        VALUES,
        stores={
            "scope": "cluster",
            "name": "doctor",
            "bulkName": "doctor-bulk",
            "esoNamespace": "doctor-eso",
        },
    )
    for namespace in ("doctor-eso", "doctor-in", "doctor-out"):
        cluster.make_namespace(namespace)
    team.make_token("app", "doctor-eso")
    team.declare("app", "doctor-in", {"name": APP, "keys": ["A"]})
    team.deploy()
    cluster.sync("doctor-in")
    patient = Patient(team, "doctor-in")
    patient.assert_well()
    copy = cluster.object("doctor-in", "externalsecret", APP)
    metadata = {"name": APP, "namespace": "doctor-out"}
    cluster.api.apply(
        {"apiVersion": copy["apiVersion"], "kind": copy["kind"], "metadata": metadata, "spec": copy["spec"]}
    )
    outside = Patient(team, "doctor-out")
    finding = outside.names("store-conditions", "do not let namespace doctor-out in", outside.name)
    subprocess.run(
        ["sh", "-ec", finding["fix"][1]], check=True, env=outside.api_environment, capture_output=True
    )
    cluster.sync("doctor-out")
    assert outside.findings(outside.name) == {}
    cluster.api.kubectl(
        "patch", "clustersecretstore", "doctor", "--type=merge", "-p", '{"spec": {"controller": "blue"}}'
    )
    patient.names("store-class", "the controller class 'blue'")
    cluster.api.kubectl("delete", "clustersecretstore", "doctor", "doctor-bulk", "--ignore-not-found")


def test_while_eso_does_nothing(new_patient: NewPatient, cluster: Cluster) -> None:
    patient = new_patient("doctor-still")
    with operator_stopped(cluster):
        past = (datetime.now(UTC) - timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        patch = json.dumps({"status": {"refreshTime": past}})
        where = ("externalsecret", APP, "-n", patient.namespace)
        patient.api.kubectl("patch", *where, "--subresource=status", "--type=merge", "-p", patch)
        patient.names("overdue", "its interval is 1h0m0s")
        patient.api.kubectl("delete", "secret", APP, "-n", patient.namespace)
        found = patient.findings()
        assert set(found) == {"overdue", "target-secret"}
    wait_until("the doctor finds nothing", lambda: patient.report()["findings"] == [])


def test_the_secret_itself(new_patient: NewPatient) -> None:
    patient = new_patient("doctor-secret")
    with patient.spoilt("externalsecret", "all"):
        patient.patch("externalsecret", "all", {"op": "replace", "path": "/spec/target/name", "value": APP})
        wait_until("ESO refuses it", lambda: patient.findings().get("target-owner"), 30)
        patient.names("target-owner", f"belongs to ExternalSecret {APP}")
    with patient.spoilt("externalsecret", APP):
        often = {"op": "replace", "path": "/spec/refreshInterval", "value": "20s"}
        patient.patch("externalsecret", APP, often)
        patient.names("load", "is refreshed every 20s")
    patient.sync()
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": {"name": "wide", "namespace": patient.namespace},
    }
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": patient.namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "wide"}
    patient.api.apply({**role, "kind": "Role", "rules": rules})
    patient.api.apply({**role, "kind": "RoleBinding", "roleRef": reference, "subjects": [subject]})
    patient.names("target-readers", "may read every Secret of the namespace")
    patient.api.kubectl("delete", "rolebinding,role", "wide", "-n", patient.namespace)
    patient.assert_well()


WHY = "pods is forbidden: unable to validate against any security context constraint"
REFUSED = {
    "conditions": [
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": WHY},
    ]
}


def test_eso_and_the_server_in_the_cluster(new_patient: NewPatient, api: ApiServer) -> None:
    patient = new_patient("doctor-eso-itself")
    eso = ("external-secrets", "doctor-external-secrets")
    with running(api, *eso, {"replicas": 1}):
        nobody = ("eso-rights",)  # its service account has no rights here
        patient.names("eso-running", "ESO's controller does not run", beside=nobody)
        api.kubectl("scale", "deployment/external-secrets", "-n", eso[1], "--replicas=0")
        finding = patient.names("eso-running", "it is scaled to 0", beside=nobody)
        assert finding["fix"] == [f"kubectl scale deployment/external-secrets -n {eso[1]} --replicas=1"]
    with running(api, *eso, REFUSED):
        patient.names("openshift-uid", "OpenShift refuses its pods", beside=nobody)
    with running(api, *eso, UP) as made:
        report = patient.report()
        assert [one["check"] for one in report["findings"]] == ["eso-rights"]
        assert "may not get, create, update Secrets" in report["findings"][0]["what"]
        assert {check for missing in report["notDone"] for check in missing["checks"]} == {"eso-log"}
        args = json.dumps(
            [
                {
                    "op": "replace",
                    "path": "/spec/template/spec/containers/0/args",
                    "value": ["--namespace=other"],
                }
            ]
        )
        api.kubectl("patch", "deployment", made["metadata"]["name"], "-n", eso[1], "--type=json", "-p", args)
        assert {"eso-rights", "eso-namespace"} == set(patient.findings())
    with running(api, "arcan", "arcan", {"replicas": 1}):
        waiting = {
            "name": "arcan", "image": "ghcr.io/x/arcan:1", "imageID": "", "ready": False, "restartCount": 0,
            "state": {"waiting": {"reason": "ImagePullBackOff"}},
        }  # fmt: skip
        pod = {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "arcan-1", "namespace": "arcan", "labels": {"app.kubernetes.io/name": "arcan"}},
            "spec": {"containers": [{"name": "arcan", "image": "ghcr.io/x/arcan:1"}]},
        }  # fmt: skip
        api.apply(pod)
        status = json.dumps({"status": {"containerStatuses": [waiting]}})
        api.kubectl(
            "patch", "pod", "arcan-1", "-n", "arcan", "--subresource=status", "--type=merge", "-p", status
        )
        patient.names("server-running", "the server does not run", beside=("image-pull",))
        patient.names("image-pull", "no SCC changes that", beside=("server-running",))
        api.kubectl("delete", "pod", "arcan-1", "-n", "arcan", "--grace-period=0", "--force")
    patient.assert_well()


def test_a_service_that_is_not_there(new_patient: NewPatient) -> None:
    patient = new_patient("doctor-service")
    with patient.spoilt("secretstore", "arcan") as store:
        webhook = store["spec"]["provider"]["webhook"]
        webhook["url"] = webhook["url"].replace(
            f"127.0.0.1:{patient.team.port}", "arcan.doctor-service.svc:9797"
        )
        patient.replace("secretstore", store)
        report = patient.report(patient.name)
        assert [one["check"] for one in report["findings"]] == ["service"]
        assert {check for missing in report["notDone"] for check in missing["checks"]} == {"dns"}


def test_argo_cd(new_patient: NewPatient, programs: Programs, api: ApiServer) -> None:
    patient = new_patient("doctor-argocd")
    api.install_crds([programs["argocd-crds"]])
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}})
    application: dict[str, Any] = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "doctor", "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": "https://git.example.com/x.git", "path": "x"},
            "destination": {"namespace": patient.namespace, "server": "https://kubernetes.default.svc"},
        },
    }
    for why, words in (
        ('no matches for kind "ClusterSecretStore"', "ESO's kinds were not there"),
        ("one or more objects failed to apply", "is OutOfSync: one or more objects"),
    ):
        failed = {
            "phase": "Failed", "message": why, "operation": {},
            "startedAt": "2026-01-01T00:00:00Z",
        }  # fmt: skip
        sync = {"status": "OutOfSync", "comparedTo": {"destination": {}, "source": {"repoURL": "x"}}}
        api.apply({**application, "status": {"sync": sync, "operationState": failed}})
        finding = patient.names("argocd", words)
        subprocess.run(
            ["sh", "-ec", finding["fix"][0]], check=True, env=patient.api_environment, capture_output=True
        )
    found = json.loads(api.kubectl("get", "application", "doctor", "-n", "argocd", "-o", "json"))
    assert found["metadata"]["annotations"]["argocd.argoproj.io/refresh"] == "hard"
    api.kubectl("delete", "application", "doctor", "-n", "argocd")
    patient.assert_well()


def test_stores_of_others(new_team: NewTeam, cluster: Cluster, programs: Programs) -> None:
    (closed,) = free_ports(1)
    namespace = "doctor-others"
    cluster.make_namespace(namespace)
    team = new_team(VALUES)
    patient = Patient(team, namespace)
    login = {"name": "login", "key": "token"}
    sections: dict[str, dict[str, Any]] = {
        "vault": {
            "server": f"http://127.0.0.1:{closed}", "path": "secret", "version": "v2",
            "auth": {"tokenSecretRef": login},
        },
        "infisical": {
            "hostAPI": f"http://127.0.0.1:{closed}",
            "auth": {"universalAuthCredentials": {"clientId": login, "clientSecret": login}},
            "secretsScope": {"projectSlug": "homelab", "environmentSlug": "prod"},
        },
        "aws": {
            "service": "SecretsManager", "region": "eu-west-1",
            "auth": {"secretRef": {"accessKeyIDSecretRef": login, "secretAccessKeySecretRef": login}},
        },
    }  # fmt: skip
    for name, section in sections.items():
        metadata = {"name": name, "namespace": namespace}
        cluster.api.apply(
            {"apiVersion": "external-secrets.io/v1", "kind": "SecretStore", "metadata": metadata,
             "spec": {"provider": {name: section}}},
            {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": metadata,
             "spec": {"secretStoreRef": {"name": name}, "data": [
                 {"secretKey": "K", "remoteRef": {"key": "prod/myapp", "property": "password"}}]}},
        )  # fmt: skip
        assert "is not there" in patient.names(
            "provider-credential", "logs in with it", f"{namespace}/{name}", beside=(name, "applied")
        )["what"]  # fmt: skip
    metadata = {"name": "login", "namespace": namespace}
    cluster.api.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"token": CANARY}}
    )
    first = {"vault": "vault status", "infisical": "curl -sS", "aws": "aws sts get-caller-identity"}
    for name, command in first.items():
        wait_until(
            f"the doctor knows what to run for {name}",
            lambda name=name: name in patient.findings(f"{namespace}/{name}"),  # type: ignore[misc]
            seconds=60,
        )
        assert command in patient.names(name, "", f"{namespace}/{name}")["fix"][0]


def test_without_rights_each_check_that_could_not_be_done_is_named(new_patient: NewPatient) -> None:
    patient = new_patient("doctor-rights")
    api, namespace = patient.api, patient.namespace
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": {"name": "reader", "namespace": namespace},
    }
    rules = [{"apiGroups": ["external-secrets.io"], "resources": ["*"], "verbs": ["get", "list"]}]
    subject = {"kind": "ServiceAccount", "name": "reader", "namespace": namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    api.apply(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "reader", "namespace": namespace},
        },
        {**role, "kind": "Role", "rules": rules},
        {**role, "kind": "RoleBinding", "roleRef": reference, "subjects": [subject]},
    )
    token = api.kubectl("create", "token", "reader", "-n", namespace).strip()
    (config,) = read_documents(api.kubeconfig.read_bytes(), "kubeconfig")
    config["users"][0]["user"] = {"token": token}
    limited = patient.team.folder / "limited"
    limited.touch(0o600)
    limited.write_text(emit([config]))
    report = patient.report(KUBECONFIG=str(limited))
    assert report["findings"] == []
    missing = {check for one in report["notDone"] for check in one["checks"]}
    assert missing >= {
        "token-secret",
        "ca-object",
        "target-secret",
        "events",
        "eso-running",
        "target-readers",
        "answer",
    }
    assert all(one["why"] == "you may not" for one in report["notDone"] if one["fix"])


def test_the_job_is_let_in_and_its_commands_find_what_eso_would(
    new_patient: NewPatient, tmp_path: Path
) -> None:
    patient = new_patient("doctor-job")
    _, printed = patient.doctor(patient.name, "--in-cluster", "--image", "ghcr.io/x/arcan:1")
    config_map, job = read_documents(printed.encode(), "printed")
    restricted = "doctor-restricted"
    patient.team.cluster.make_namespace(restricted, **{"pod-security.kubernetes.io/enforce": "restricted"})
    pod = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "doctor", "namespace": restricted},
        "spec": job["spec"]["template"]["spec"],
    }  # fmt: skip
    patient.api.kubectl("create", "--dry-run=server", "-f", "-", data=emit([pod]))
    patient.api.kubectl("create", "--dry-run=server", "-f", "-", data=printed)
    token = patient.team.cluster.secret(patient.namespace, "arcan-credentials")
    assert token is not None
    for name, data in (
        ("manifests/manifests.yaml", config_map["data"]["manifests.yaml"].encode()),
        ("token-0/token", token["token"]),
        ("ca/ca.crt", patient.team.server.ca.read_bytes()),
    ):
        (tmp_path / name).parent.mkdir(mode=0o700)
        (tmp_path / name).write_bytes(data)
    for container in job["spec"]["template"]["spec"]["containers"]:
        words = [word.replace("/doctor/", f"{tmp_path}/") for word in container["args"]]
        done = subprocess.run([*ARCAN, *words], check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert CANARY not in done.stdout + done.stderr
    assert "1 of 1 ExternalSecrets would be synced" in done.stdout
