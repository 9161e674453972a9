"""A pod of the Deployment: `arcan serve` with its very arguments, on volumes as the kubelet lays them out."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops.server import tls
from tests.deploy.kubelet import Kubelet
from tests.deploy.repository import Manifest, Repository, one, validated
from tests.support.signing_cluster import SigningCluster


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("pods"))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `arcan bootstrap` or cert-manager would have put into Secret arcan-tls."""
    folder = tmp_path_factory.mktemp("tls")
    tls.own(folder, ["arcan.arcan.svc"])
    return folder


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


# As close to a read-only root as a process gets by itself: no file can grow beyond nothing.
ARCAN_WITHOUT_WRITING = [
    sys.executable,
    "-c",
    "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); "
    "from arcan_gitops.cli import main; main()",
]


class Pod:
    """One container on this machine: its mount paths are below a folder, its ports are free ones."""

    def __init__(self, deployment: Manifest, objects: list[Manifest], secrets: Any, root: Path) -> None:
        spec = deployment["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        Kubelet(root, objects, secrets).mount(spec)
        self.ports = {port["name"]: free_port() for port in container["ports"]}
        own = {str(port["containerPort"]): str(self.ports[port["name"]]) for port in container["ports"]}
        self._command = list(ARCAN_WITHOUT_WRITING)
        for argument in container["args"]:
            option, _, value = argument.partition("=")
            value = own.get(value, f"{root}{value}" if value.startswith("/") else value)
            self._command.append(f"{option}={value}" if value else option)
        assert "env" not in container
        assert spec["enableServiceLinks"] is False  # else ARCAN_PORT would be tcp://10.0.0.1:9797
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "ARCAN_DATA_DIR": str(root / "var/lib/arcan"),  # and not that of this machine
        }

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            self._command, env=self._environment, cwd="/", text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=20)

    def get(
        self, path: str, ca: Path, token: str | None = None, port: str = "https"
    ) -> tuple[int, dict[str, Any]]:
        """As a client of the Service: it trusts the CA alone, and asks for the Service's name."""
        context = ssl.create_default_context(cafile=str(ca))
        raw = socket.create_connection(("127.0.0.1", self.ports[port]), timeout=10)
        with context.wrap_socket(raw, server_hostname="arcan.arcan.svc") as secure:
            connection = http.client.HTTPConnection("arcan.arcan.svc")
            connection.sock = secure
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
            response = connection.getresponse()
            body = response.read()
        return response.status, json.loads(body) if body.startswith(b"{") else {"text": body.decode()}

    def ready(self, ca: Path, process: subprocess.Popen[str], seconds: float = 20) -> int:
        """What the readiness probe gets, once there is an answer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if process.poll() is not None:
                raise AssertionError(process.communicate()[1])
            try:
                return self.get("/readyz", ca)[0]
            except OSError:
                time.sleep(0.05)
        raise AssertionError("it never listens")


def secrets(repository: Repository, certificates: Path) -> dict[str, dict[str, bytes]]:
    """What is made by hand."""
    ca = (certificates / "ca.crt").read_bytes()
    certificate = {
        "tls.crt": (certificates / "server.crt").read_bytes(),
        "tls.key": (certificates / "server.key").read_bytes(),
        "ca.crt": ca,
    }
    identity = {"identity.txt": repository.files.identity_file.read_bytes()}
    return {"arcan-age-identity": identity, "arcan-tls": certificate, "arcan-ca": {"ca.crt": ca}}


@pytest.mark.parametrize(
    "components", [[], ["own-ca", "monitoring", "openshift"]], ids=["base", "components"]
)
def test_a_pod_becomes_ready_and_answers_writing_no_file(
    components: list[str], repository: Repository, certificates: Path, tmp_path: Path
) -> None:
    objects = repository.generated({"components": components})
    pod = Pod(one(objects, "Deployment"), objects, secrets(repository, certificates), tmp_path)
    ca = certificates / "ca.crt"
    with pod.running() as process:
        assert pod.ready(ca, process) == 200
        status, answer = pod.get("/api/v1/eso/production/PASSWORD?env=prod", ca, repository.token)
        assert (status, answer) == (200, {"value": "production-prod"})
        # staging is in Git, and not in this pod
        status, answer = pod.get("/api/v1/eso/production/PASSWORD?env=staging", ca, repository.token)
        assert (status, answer["error"]["code"]) == (400, "unknown_environment")
        if "monitoring" in components:
            status, metrics = pod.get("/metrics", ca, port="metrics")
            assert status == 200
            assert 'arcan_keys{realm="production",environment="prod"} 1' in metrics["text"]
        process.send_signal(signal.SIGINT)
        log = process.communicate(timeout=20)[1]
    assert process.returncode == 0, log
    assert len(re.findall(r"loaded \S+/prod: 1 keys, verified", log)) == 2
    assert "ERROR" not in log
    assert "WARNING" not in log


def test_a_pod_with_a_bad_document_never_becomes_ready(
    repository: Repository, certificates: Path, tmp_path: Path
) -> None:
    path = repository.files.path("platform", "prod")
    good = path.read_bytes()
    repository.files.replace(path, good.replace(b"ENC[AES256_GCM,data:", b"ENC[AES256_GCM,data:AAAA", 1))
    try:
        objects = repository.generated()
    finally:
        repository.files.replace(path, good)
    pod = Pod(one(objects, "Deployment"), objects, secrets(repository, certificates), tmp_path)
    with pod.running() as process:
        log = process.communicate(timeout=20)[1]
    assert process.returncode == 1
    assert "platform/prod.sops.yaml" in log


def test_a_pod_without_its_identity_or_certificate_never_starts(
    repository: Repository, certificates: Path, tmp_path: Path
) -> None:
    objects = repository.generated({"components": ["own-ca"]})
    made = secrets(repository, certificates)
    for number, missing in enumerate(made):
        there = {name: files for name, files in made.items() if name != missing}
        with pytest.raises(KeyError, match=missing):
            Pod(one(objects, "Deployment"), objects, there, tmp_path / str(number))


def test_a_pod_knows_the_clusters_of_git_and_answers_their_accounts(
    certificates: Path, tmp_path: Path
) -> None:
    """From `clusters/` and `credentials: account` to a read by the token of an account's Secret."""
    repository = Repository(tmp_path / "repository")
    eu, stranger = SigningCluster("eu"), SigningCluster("us")
    eu.write(repository.folder / "clusters")
    (repository.kustomize / "apps" / "shop.yaml").write_text(
        "name: shop\nrealm: production\nnamespace: shop\nsecrets: [{name: shop, keys: [PASSWORD]}]\n"
    )
    accounts = [{"cluster": "eu", "namespace": "shop", "serviceAccount": "arcan-reader"}]
    tokens = json.dumps({"version": 1, "accounts": accounts})
    (repository.files.root / "production" / "tokens.yaml").write_text(tokens)
    objects = repository.generated(credentials="account", clusterKeys="eu")
    (keys,) = (thing for thing in objects if thing["metadata"]["name"].startswith("arcan-clusters-"))
    assert list(keys["data"]) == ["eu.yaml"]
    assert one(objects, "ServiceAccount", "arcan-reader")["metadata"]["namespace"] == "shop"
    validated(objects)

    pod = Pod(one(objects, "Deployment"), objects, secrets(repository, certificates), tmp_path / "pod")
    ca, path = certificates / "ca.crt", "/api/v1/eso/production/PASSWORD?env=prod"
    with pod.running() as process:
        assert pod.ready(ca, process) == 200
        assert pod.get(path, ca, eu.of_secret("shop", "arcan-reader")) == (200, {"value": "production-prod"})
        assert pod.get(path, ca, stranger.of_secret("shop", "arcan-reader"))[0] == 401
