"""A Kubernetes API server and its etcd, on loopback: nothing else of a cluster runs.

Without a kubelet no pod starts, and without a controller manager nothing is garbage-collected: what a story
sees happen, the API server's admission or the operator did.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import ssl
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from arcan_gitops.yamlio import emit, read_documents
from tests.e2e.process import Process, free_ports, wait_until
from tests.e2e.programs import Programs

KUBECTL_SECONDS = 120
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class ApiServer:
    """etcd and kube-apiserver. Use as a context manager."""

    def __init__(self, programs: Programs, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._files = folder / "cluster"  # the logs stay beside it when it goes
        self._files.mkdir(mode=0o700)
        etcd_port, peer_port, self._port = free_ports(3)
        self.token = secrets.token_urlsafe(32)
        self.kubeconfig = self._files / "kubeconfig"
        self.environment = {"HOME": str(self._files), "PATH": "/usr/bin:/bin"}
        self._etcd_url = f"http://127.0.0.1:{etcd_port}"
        peer_url = f"http://127.0.0.1:{peer_port}"
        self._etcd = self._process(
            "etcd",
            f"--data-dir={self._files / 'etcd'}",
            f"--listen-client-urls={self._etcd_url}",
            f"--advertise-client-urls={self._etcd_url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=default={peer_url}",
            "--unsafe-no-fsync",  # nothing here outlives the run
            "--log-level=warn",
        )
        self._server = self._process(
            "kube-apiserver",
            f"--etcd-servers={self._etcd_url}",
            f"--secure-port={self._port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",  # loopback is no address for the kubernetes Service
            f"--cert-dir={self._files / 'tls'}",
            f"--token-auth-file={self._files / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--anonymous-auth=false",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self._files / 'service-account.pub'}",
            f"--service-account-signing-key-file={self._files / 'service-account.key'}",
            "--disable-admission-plugins=ServiceAccount",  # no controller makes the default accounts
            "--service-cluster-ip-range=10.96.0.0/16",
        )

    def _process(self, name: str, *arguments: str) -> Process:
        command = [str(self._programs[name]), *arguments]
        return Process(command, self.environment, self._folder / f"{name}.log")

    def __enter__(self) -> ApiServer:
        self._write_credentials()
        self._etcd.start()
        self._server.start()
        try:
            self._server.wait_until("the API server is ready", self._is_ready)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._etcd.stop()

    def _write_credentials(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (self._files / "service-account.key").write_bytes(private)
        (self._files / "service-account.pub").write_bytes(public)
        (self._files / "tokens.csv").write_text(f"{self.token},admin,admin,system:masters\n")
        cluster = {
            "server": self.url,
            "certificate-authority": str(self.certificate),
        }
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "e2e",
            "clusters": [{"name": "e2e", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self.token}}],
            "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "admin"}}],
        }  # fmt: skip
        self.kubeconfig.write_text(emit([config]))

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://127.0.0.1:{self._port}"

    @property
    def signing_key(self) -> Path:
        """With which the tokens of service accounts are signed."""
        return self._files / "service-account.key"

    @property
    def certificate(self) -> Path:
        """Made by the API server when it starts: its certificate and the CA that signed it."""
        return self._files / "tls" / "apiserver.crt"

    def _is_ready(self) -> bool:
        return self._request("GET", "/readyz")[0] == 200

    def _request(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, bytes]:
        trust = ssl.create_default_context(cafile=str(self.certificate))
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, context=trust, timeout=30)
        headers["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """An object or a list, or None where there is none."""
        status, body = self._request("GET", path)
        assert status in (200, 404), f"GET {path}: {status} {body.decode(errors='replace')}"
        return json.loads(body) if status == 200 else None

    def items(self, path: str) -> list[dict[str, Any]]:
        """The objects of a list, each with its apiVersion and kind, as the kubectl shows them."""
        found = self.get(path)
        if found is None:
            return []
        kind = found["kind"].removesuffix("List")
        return [{"apiVersion": found["apiVersion"], "kind": kind, **item} for item in found["items"]]

    def annotate(self, path: str, **annotations: str) -> None:
        """Set annotations of the object at a path, as `kubectl annotate` does; `_` in a name stands for `-`."""
        named = {name.replace("_", "-"): text for name, text in annotations.items()}
        patch = json.dumps({"metadata": {"annotations": named}})
        headers = {"Content-Type": "application/merge-patch+json"}
        status, body = self._request("PATCH", path, patch, **headers)
        assert status in (200, 404), f"PATCH {path}: {status} {body.decode(errors='replace')}"

    @property
    def for_kubectl(self) -> dict[str, str]:
        """Environment variables for programs that run kubectl themselves."""
        path = f"{self._programs['kubectl'].parent}:{os.environ['PATH']}"
        return {"PATH": path, "KUBECONFIG": str(self.kubeconfig)}

    def try_kubectl(self, *arguments: str, data: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl, of the API server's version."""
        return subprocess.run(
            [str(self._programs["kubectl"]), f"--kubeconfig={self.kubeconfig}", *arguments],
            input=data,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=KUBECTL_SECONDS,
        )

    def kubectl(self, *arguments: str, data: str | None = None) -> str:
        """Run a kubectl that must succeed, and return what it printed."""
        done = self.try_kubectl(*arguments, data=data)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        """Objects that are made by hand, not generated; another story's hand may have made them before."""
        self.apply_printed(emit(manifests))

    def apply_printed(self, manifests: str) -> None:
        """As `apply`, of what a command has printed."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", data=manifests)

    def run_printed(self, command: str) -> None:
        """What the CLI printed as a command for kubectl."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            env={**os.environ, **self.for_kubectl},
            check=False,
            capture_output=True,
            text=True,
            timeout=KUBECTL_SECONDS,
        )
        assert done.returncode == 0, f"{command}:\n{done.stderr}"

    def install_crds(self, folders: Iterable[Path]) -> None:
        """Apply the CustomResourceDefinitions, and wait until the API server serves them."""
        for folder in folders:
            self.kubectl("apply", "--server-side", "-f", str(folder))
        # `kubectl wait` fails where a CRD has no conditions at all yet
        wait_until(
            "every CRD is established", lambda: all(map(_is_established, self.items(_CRDS))), seconds=60
        )

    def apply_from_git(self, *paths: Path) -> None:
        """Apply kustomizations, files, or folders of files, as they are; nobody else may own a field of theirs."""
        self.kubectl("apply", "--server-side", *_options(paths))

    def manifests_of(self, *paths: Path) -> list[dict[str, Any]]:
        """What kubectl makes of kustomizations, files, or folders of files."""
        found = []
        for path in paths:
            if _is_kustomization(path):
                found += read_documents(self.kubectl("kustomize", str(path)).encode(), str(path))
            else:
                for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
                    found += read_documents(file.read_bytes(), str(file))
        return found

    def make_namespaces_of(self, *paths: Path) -> None:
        """Those that the manifests are in, but for those that they make themselves."""
        manifests = self.manifests_of(*paths)
        made = {item["metadata"]["name"] for item in manifests if item["kind"] == "Namespace"}
        names = {item["metadata"]["namespace"] for item in manifests if "namespace" in item["metadata"]}
        for name in sorted(names - made):
            self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def stored(self, *paths: Path) -> list[dict[str, Any]]:
        """What the API server has of the manifests' objects."""
        found = json.loads(self.kubectl("get", "-o", "json", *_options(paths)))
        return found["items"] if found["kind"] == "List" else [found]

    def assert_nothing_differs(self, *paths: Path) -> None:
        """To apply them once more would change nothing."""
        done = self.try_kubectl("diff", "--server-side", *_options(paths))
        assert (done.returncode, done.stdout) == (0, ""), f"{paths}:\n{done.stdout}{done.stderr}"

    def delete(self, *paths: Path) -> None:
        """All that was applied, but for namespaces: without a controller they would never be gone."""
        kept = [item for item in self.manifests_of(*paths) if item["kind"] != "Namespace"]
        self.kubectl("delete", "--ignore-not-found", "-f", "-", data=emit(kept))


def _options(paths: Iterable[Path]) -> list[str]:
    return [part for path in paths for part in ("-k" if _is_kustomization(path) else "-f", str(path))]


def _is_kustomization(path: Path) -> bool:
    return (path / "kustomization.yaml").exists()


def _is_established(crd: Mapping[str, Any]) -> bool:
    conditions = crd.get("status", {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)
