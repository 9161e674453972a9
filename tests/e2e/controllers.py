"""The controllers of Kubernetes that fill the Secrets of accounts, and delete them with their accounts."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.api_server import ApiServer
from tests.e2e.process import Process
from tests.e2e.programs import Programs


class Controllers:
    """kube-controller-manager for one API server. Use as a context manager."""

    def __init__(self, programs: Programs, api: ApiServer, folder: Path) -> None:
        command = [
            str(programs["kube-controller-manager"]),
            f"--kubeconfig={api.kubeconfig}",
            "--controllers=serviceaccount-token-controller",
            f"--service-account-private-key-file={api.kubeconfig.parent / 'service-account.key'}",
            "--leader-elect=false",
            "--secure-port=0",
        ]
        self._process = Process(command, api.environment, folder / "kube-controller-manager.log")

    def __enter__(self) -> Controllers:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()
