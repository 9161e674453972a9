"""The server's manifests in an API server that enforces what they promise."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.yamlio import emit
from tests.deploy.repository import Repository
from tests.e2e.api_server import ApiServer
from tests.e2e.cluster import Cluster

ROOT = Path(__file__).resolve().parents[2]
CARELESS = {"containers": [{"name": "arcan", "image": "arcan"}]}  # may run as root, for one thing
SERVERS = {"own-certificate": (), "own-ca": ("own-ca",), "openshift": ("openshift",)}


@pytest.mark.parametrize("components", SERVERS.values(), ids=SERVERS)
def test_a_pod_of_the_server_is_accepted_where_pod_security_is_restricted(
    cluster: Cluster, tmp_path: Path, components: tuple[str, ...]
) -> None:
    api = cluster.api
    repository = Repository(tmp_path)
    objects = repository.generated({"components": list(components)})
    overlay = tmp_path / "kustomize" / "overlays" / "prod"
    api.make_namespaces_of(overlay)
    done = api.try_kubectl("apply", "--server-side", "-k", str(overlay))
    assert done.returncode == 0, done.stderr
    assert "PodSecurity" not in done.stderr  # a Deployment that is no good gets a warning, and no pods
    (deployment,) = [item for item in objects if item["kind"] == "Deployment"]
    template = deployment["spec"]["template"]
    api.kubectl("create", "--dry-run=server", "-f", "-", data=emit([pod(template)]))
    refused = api.try_kubectl("create", "--dry-run=server", "-f", "-", data=emit([pod({"spec": CARELESS})]))
    assert 'violates PodSecurity "restricted:latest"' in refused.stderr


def pod(template: dict[str, Any]) -> dict[str, Any]:
    """The pod that the Deployment's controller would make."""
    metadata = {**template.get("metadata", {}), "name": "arcan-0", "namespace": "arcan"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def test_an_old_pod_can_still_mount_its_config_maps_while_a_bad_rollout_hangs(
    cluster: Cluster, tmp_path: Path
) -> None:
    """Every state of a document has a ConfigMap of its own, and none goes before the new pods are healthy."""
    repository = Repository(tmp_path)
    overlay = tmp_path / "kustomize" / "overlays" / "prod"
    mounted: list[set[str]] = []
    for state in ("first", "second"):
        repository.files.write("production", "prod", f"PASSWORD: {state}\n")
        (deployment,) = [item for item in repository.generated() if item["kind"] == "Deployment"]
        cluster.api.make_namespaces_of(overlay)
        cluster.api.apply_from_git(overlay)
        mounted.append(config_maps(deployment["spec"]["template"]["spec"]))
    assert len(mounted[0] ^ mounted[1]) == 2  # the document's, before and after; the others are shared
    for name in mounted[0] | mounted[1]:
        assert cluster.api.get(f"/api/v1/namespaces/arcan/configmaps/{name}"), name


def test_argo_cd_never_prunes_what_a_pod_of_the_old_state_mounts(cluster: Cluster, argocd: Path) -> None:
    """Pruned, it would be missing where such a pod starts anew."""
    (cluster_folder,) = (argocd / "clusters").iterdir()
    (overlay,) = [
        item["spec"]["template"]["spec"]
        for item in cluster.api.manifests_of(cluster_folder)
        if item["kind"] == "ApplicationSet"
    ]
    assert overlay["syncPolicy"]["automated"]["prune"] is True
    objects = cluster.api.manifests_of(argocd.parent / "overlays" / "prod")
    (deployment,) = [item for item in objects if item["kind"] == "Deployment"]
    generated = config_maps(deployment["spec"]["template"]["spec"])
    for item in objects:
        annotations = item["metadata"].get("annotations", {})
        assert "argocd.argoproj.io/hook" not in annotations
        options = annotations.get("argocd.argoproj.io/sync-options", "")
        if item["kind"] == "ConfigMap" and item["metadata"]["name"] in generated:
            assert options == "Prune=false"
            assert annotations["argocd.argoproj.io/compare-options"] == "IgnoreExtraneous"


def config_maps(spec: dict[str, Any]) -> set[str]:
    """The names of those that a pod mounts."""
    sources = [
        source for volume in spec["volumes"] for source in volume.get("projected", {}).get("sources", [])
    ]
    return {source["configMap"]["name"] for source in sources if "configMap" in source}


def test_the_command_in_the_documentation_removes_the_documents_that_no_rollout_uses(
    cluster: Cluster, tmp_path: Path
) -> None:
    """Those of the newest state, and of an old rollout that still has pods, stay."""
    api = cluster.api
    repository = Repository(tmp_path)
    overlay = tmp_path / "kustomize" / "overlays" / "prod"
    states: dict[str, set[str]] = {}
    for state in ("running", "skipped", "newest"):
        repository.files.write("production", "prod", f"PASSWORD: {state}\n")
        (deployment,) = [item for item in repository.generated() if item["kind"] == "Deployment"]
        api.make_namespaces_of(overlay)
        api.apply_from_git(overlay)
        states[state] = config_maps(deployment["spec"]["template"]["spec"])
        if state == "running":
            api.apply(replica_set(deployment, replicas=2))
    metadata = {"name": "arcan-revoked", "namespace": "arcan"}
    api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    assert clean_up(api, tmp_path, KUBECONFIG="/nothing").returncode != 0
    assert documents(api) >= states["running"] | states["skipped"] | states["newest"]
    done = clean_up(api, tmp_path)
    assert done.returncode == 0, done.stderr
    assert documents(api) == states["running"] | states["newest"]
    api.apply(replica_set(deployment, replicas=0))
    assert clean_up(api, tmp_path).returncode == 0
    assert documents(api) == states["newest"]
    assert clean_up(api, tmp_path).returncode == 0
    assert api.get("/api/v1/namespaces/arcan/configmaps/arcan-revoked")


def replica_set(deployment: dict[str, Any], replicas: int) -> dict[str, Any]:
    """As the Deployment's controller, which is not there, makes one."""
    spec = {name: deployment["spec"][name] for name in ("selector", "template")}
    metadata = {"name": "arcan-old", "namespace": "arcan"}
    body = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata}
    return {**body, "spec": {**spec, "replicas": replicas}}


def clean_up(api: ApiServer, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, as the documentation has it."""
    text = (ROOT / "docs/removal.md").read_text()
    (command,) = re.findall(r"^```bash\n(used=.*?)^```", text, re.M | re.S)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        env={**api.for_kubectl, "HOME": str(home), **environment},
        check=False,
        capture_output=True,
        text=True,
    )


def documents(api: ApiServer) -> set[str]:
    """The names of all ConfigMaps of realms."""
    names = [item["metadata"]["name"] for item in api.items("/api/v1/namespaces/arcan/configmaps")]
    return {name for name in names if name.startswith("realm.")}
