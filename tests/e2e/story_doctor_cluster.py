"""More faults made for real: of the cluster around the ExternalSecrets, of ESO's log, of a server that is behind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.e2e.api_server import ApiServer
from tests.e2e.cluster import Cluster
from tests.e2e.patient import APP, CANARY, UP, VALUES, NewPatient, Patient, operator_stopped, running
from tests.e2e.process import wait_until
from tests.eso.endpoint import Answer, make_authority, serving

_STORES = "clustersecretstores.external-secrets.io"
_RBAC = "rbac.authorization.k8s.io/v1"


@contextmanager
def not_served(api: ApiServer, crd: str) -> Iterator[None]:
    """Within, the API server does not have the kind; its objects stay."""
    kinds = json.loads(api.kubectl("get", "crd", crd, "-o", "json"))["spec"]
    (number,) = [n for n, version in enumerate(kinds["versions"]) if version["name"] == "v1"]

    def serve(wanted: bool) -> None:
        patch = [{"op": "replace", "path": f"/spec/versions/{number}/served", "value": wanted}]
        api.kubectl("patch", "crd", crd, "--type=json", "-p", json.dumps(patch))
        path = f"/apis/{kinds['group']}/v1"
        wait_until(
            f"the API server {'has' if wanted else 'lacks'} {crd}",
            lambda: (
                wanted == any(one["name"] == kinds["names"]["plural"] for one in api.get(path)["resources"])
            ),
        )

    serve(False)
    try:
        yield
    finally:
        serve(True)


def crd_of_openshift() -> dict[str, Any]:
    """Enough for the API server to have OpenShift's group."""
    names = {"plural": "securitycontextconstraints", "kind": "SecurityContextConstraints"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": "securitycontextconstraints.security.openshift.io",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {
            "group": "security.openshift.io",
            "names": {**names, "singular": names["kind"].lower(), "listKind": f"{names['kind']}List"},
            "scope": "Cluster",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def test_the_cluster_around_it(new_patient: NewPatient, api: ApiServer) -> None:
    patient = new_patient("doctor-around")
    patient.assert_well()
    with not_served(api, _STORES):
        patient.names("eso-crds", 'no kind "ClusterSecretStore" in external-secrets.io/v1')
    patient.assert_well()

    openshift = crd_of_openshift()
    api.apply(openshift)
    wait_until("OpenShift's group is served", lambda: api.get("/apis/security.openshift.io/v1"))
    patient.assert_well()
    scc = "system:openshift:scc:privileged"
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": patient.namespace}
    binding: dict[str, Any] = {
        "apiVersion": _RBAC, "metadata": {"name": scc}, "subjects": [subject],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": scc},
    }  # fmt: skip
    namespaced = {**binding, "kind": "RoleBinding"}
    namespaced["metadata"] = {"name": scc, "namespace": patient.namespace}
    for one in (namespaced, {**binding, "kind": "ClusterRoleBinding"}):
        api.apply(one)  # as `oc adm policy add-scc-to-user` makes it, with -z and without
        patient.names("openshift-privileged", "may be root on their node")
        api.kubectl("delete", one["kind"].lower(), scc, "-n", patient.namespace)
    patient.assert_well()
    api.kubectl("delete", "crd", openshift["metadata"]["name"])

    of_the_system = {
        "SSL_CERT_FILE": str(patient.team.server.ca)
    }  # its CA is among the roots of this machine
    assert patient.names("ca-unneeded", "needs no CA", **of_the_system)["severity"] == "note"
    patient.assert_well()

    api.kubectl("delete", "namespace", patient.namespace, "--wait=false")  # nothing here ends it
    patient.names("target-namespace", "is being deleted")
    api.kubectl("delete", "externalsecrets", "--all", "-n", patient.namespace)


def test_a_server_that_is_behind_git(new_patient: NewPatient) -> None:
    patient = new_patient("doctor-behind")
    team = patient.team
    team.merge({**VALUES, "C": f"{CANARY}-c"})
    team.declare("app", patient.namespace, {"name": APP, "keys": ["A", "C"]}, {"name": "all", "all": True})
    team.deploy()
    patient.sync()
    patient.names("answer", "the server is behind Git")
    log = ("--audit-log", str(team.server.audit_path))
    assert "503" in patient.names("audit-log", "the server answered", "--no-network", *log)["what"]
    patient.names("events", "ESO says: ", "--no-network")
    team.roll_out()
    patient.heal()
    report = patient.report("--no-network", *log)
    assert report["findings"] == []  # though the log still has it


def test_a_store_that_eso_has_given_up_until_it_looks_again(new_patient: NewPatient) -> None:
    patient = new_patient("doctor-store")
    team = patient.team
    team.server.process.kill()
    team.server.process.wait()
    patient.api.kubectl("annotate", "secretstore", "arcan", "-n", patient.namespace, "looked=now")
    wait_until("ESO says that the store is not ready", lambda: _ready(patient) == "False")
    finding = patient.names("store-ready", "is not ready", "--no-network")
    team.restart_server()
    for command in finding["fix"]:  # to look, and to have ESO look
        patient.run(command)
    wait_until("the doctor finds nothing", lambda: patient.report()["findings"] == [])


def _ready(patient: Patient) -> str:
    conditions = patient.get("secretstore", "arcan")["status"]["conditions"]
    return next(str(one["status"]) for one in conditions if one["type"] == "Ready")


def test_what_nobody_repairs_while_eso_does_nothing(new_patient: NewPatient, cluster: Cluster) -> None:
    patient = new_patient("doctor-stopped")
    with operator_stopped(cluster):
        secret = patient.get("secret", APP)["data"]["A"]
        patient.patch("secret", APP, {"op": "remove", "path": "/data/A"})
        patient.names("target-keys", "has no key A")
        patient.patch("secret", APP, {"op": "add", "path": "/data", "value": {"A": ""}})
        patient.names("target-keys", "its key A is empty")
        patient.patch("secret", APP, {"op": "add", "path": "/data/A", "value": secret})
        patient.assert_well()
        patient.patch(
            "externalsecret", APP, {"op": "replace", "path": "/spec/refreshInterval", "value": "2h"}
        )
        patient.assert_well()  # ESO has some minutes
        made_old(patient, timedelta(minutes=20))
        patient.names("seen", "has not looked at its last change")
    wait_until("the doctor finds nothing", lambda: patient.report()["findings"] == [])


def made_old(patient: Patient, age: timedelta) -> None:
    """As if the manifest had been changed that long ago, by somebody else: the API server keeps the times that
    it is told only where something beside them differs.
    """
    where = ("externalsecret", APP, "-n", patient.namespace)
    found = json.loads(patient.api.kubectl("get", *where, "--show-managed-fields", "-o", "json"))
    past = (datetime.now(UTC) - age).strftime("%Y-%m-%dT%H:%M:%SZ")
    before = found["metadata"]["managedFields"]
    entries = [{**one, "time": past, "manager": f"{one['manager']}-before"} for one in before]
    patient.patch(
        "externalsecret", APP, {"op": "replace", "path": "/metadata/managedFields", "value": entries}
    )


@contextmanager
def logging(api: ApiServer, deployment: Mapping[str, Any], kubelet: int) -> Iterator[None]:
    """Within, a pod of the Deployment runs, as far as the API server knows, on a node with that kubelet."""
    name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": namespace}}
    template = deployment["spec"]["template"]
    metadata = {**template["metadata"], "name": name, "namespace": namespace}
    spec = {"nodeName": namespace, "containers": template["spec"]["containers"]}
    api.apply(node, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet}},
    }
    api.kubectl(
        "patch",
        "node",
        namespace,
        "--subresource=status",
        "--type=merge",
        "-p",
        json.dumps({"status": status}),
    )
    try:
        yield
    finally:
        api.kubectl("delete", "pod", name, "-n", namespace, "--grace-period=0", "--force")
        api.kubectl("delete", "node", namespace)


def test_the_log_of_eso(new_patient: NewPatient, api: ApiServer, cluster: Cluster, tmp_path: Path) -> None:
    patient = new_patient("doctor-log")
    eso = "doctor-log-eso"
    subject = {"kind": "ServiceAccount", "name": "external-secrets", "namespace": eso}
    binding = {
        "apiVersion": _RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": eso}, "subjects": [subject],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    }  # fmt: skip
    api.apply(binding)
    authority = make_authority(tmp_path)
    with (
        serving(authority) as provider,
        serving(authority) as kubelet,
        running(api, "external-secrets", eso, UP) as made,
        logging(api, made, kubelet.port),
    ):
        kubelet.says(lambda asked: Answer(200, cluster.operator_log.encode()))
        patient.assert_well()
        provider.says(Answer(429, b"", "Too Many Requests"))
        with (
            patient.spoilt("secretstore", "arcan") as store,
            patient.spoilt("configmap", "arcan-ca") as config_map,
        ):
            webhook = store["spec"]["provider"]["webhook"]
            webhook["url"] = webhook["url"].replace(str(patient.team.port), str(provider.port))
            both = config_map["data"]["ca.crt"] + authority.ca
            patient.replace("configmap", {**config_map, "data": {"ca.crt": both}})
            patient.replace("secretstore", store)
            patient.sync()
            finding = patient.names("eso-log", "a provider limits how often it is asked", beside=("answer",))
            assert patient.name in finding["externalSecrets"]
            assert any(asked.target.startswith("/containerLogs/") for asked in kubelet.asked)
        patient.heal()  # though the lines are still there
    api.kubectl("delete", "clusterrolebinding", eso)
