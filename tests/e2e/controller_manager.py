"""Kubernetes' own controllers on an API server, and a stand-in for the kubelet: pods become ready."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.e2e.api_server import ApiServer
from tests.e2e.process import Process, free_ports
from tests.e2e.programs import Programs

NEVER_READY = "never-ready"  # a pod with this in its image is one whose rollout hangs
LOOK_SECONDS = 0.3


class ControllerManager:
    """kube-controller-manager: rollouts, the tokens of accounts, garbage, namespaces that go."""

    def __init__(self, programs: Programs, api: ApiServer, folder: Path) -> None:
        (port,) = free_ports(1)
        self._process = Process(
            [
                str(programs["kube-controller-manager"]),
                f"--kubeconfig={api.kubeconfig}",
                f"--service-account-private-key-file={api.signing_key}",
                f"--root-ca-file={api.certificate}",
                "--bind-address=127.0.0.1",
                f"--secure-port={port}",
                "--leader-elect=false",
                "--controllers=*",
            ],
            api.environment,
            folder / "kube-controller-manager.log",
        )
        self._kubelet = _Kubelet(api)

    def __enter__(self) -> ControllerManager:
        self._process.start()
        try:
            self._process.wait_until("the controllers work", lambda: "Caches are synced" in self._process.log)
        except BaseException:
            self.__exit__()
            raise
        self._kubelet.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._kubelet.stop()
        self._process.stop()


class _Kubelet:
    """Marks each pod running and ready, but for those that never are; no container is ever started."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(30)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            with suppress(OSError, AssertionError):  # between two looks a pod may have gone
                for pod in self._api.items("/api/v1/pods"):
                    self._look_at(pod)

    def _look_at(self, pod: Mapping[str, Any]) -> None:
        metadata = pod["metadata"]
        name, namespace = metadata["name"], metadata["namespace"]
        if "deletionTimestamp" in metadata:
            self._api.try_kubectl("delete", "pod", name, "-n", namespace, "--force", "--grace-period=0")
        elif NEVER_READY not in json.dumps(pod["spec"]) and pod.get("status", {}).get("phase") != "Running":
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            conditions = [
                {"type": kind, "status": "True", "lastTransitionTime": now}
                for kind in ("Initialized", "ContainersReady", "Ready")
            ]
            patch = {"status": {"phase": "Running", "startTime": now, "conditions": conditions}}
            self._api.kubectl(
                "patch", "pod", name, "-n", namespace, "--subresource=status", "--type=merge", "-p",
                json.dumps(patch),
            )  # fmt: skip
