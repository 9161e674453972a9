"""The External Secrets Operator itself, against the API server."""

from __future__ import annotations

import http.client
import re
from pathlib import Path

from tests.e2e.api_server import ApiServer
from tests.e2e.process import Process, free_ports
from tests.e2e.programs import Programs

_SAMPLE = re.compile(r"(\w+)\{([^}]*)\} (\S+)")


class Operator:
    """ESO's controller. Use as a context manager."""

    def __init__(self, programs: Programs, api: ApiServer, folder: Path) -> None:
        self._metrics_port, health_port = free_ports(2)
        # a proxy that is not there: whatever store a story applies, nothing leaves this machine
        environment = api.environment | {
            "KUBECONFIG": str(api.kubeconfig),
            "HTTPS_PROXY": "http://127.0.0.1:1",
            "HTTP_PROXY": "http://127.0.0.1:1",
            "NO_PROXY": "127.0.0.1,localhost",
        }
        self._process = Process(
            [
                str(programs["external-secrets"]),
                "--enable-leader-election=false",
                "--enable-push-secret-reconciler=false",
                "--enable-cluster-push-secret-reconciler=false",
                f"--metrics-addr=127.0.0.1:{self._metrics_port}",
                f"--live-addr=127.0.0.1:{health_port}",
                "--zap-time-encoding=rfc3339",
            ],
            environment,
            folder / "external-secrets.log",
        )

    def __enter__(self) -> Operator:
        self._process.start()
        try:
            self._process.wait_until(
                "the operator has started its workers",
                lambda: self._process.log.count('"msg":"Starting workers"') >= 4 and self._metrics(),
            )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    @property
    def log(self) -> str:
        """All that it has written."""
        return self._process.log

    def _metrics(self) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._metrics_port, timeout=10)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def failures(self) -> dict[tuple[str, str], int]:
        """(namespace, name) of an ExternalSecret -> how many of its refreshes have failed so far."""
        found = {}
        for name, labels, value in _SAMPLE.findall(self._metrics()):
            if name == "externalsecret_sync_calls_error":
                named = dict(re.findall(r'(\w+)="([^"]*)"', labels))
                found[named["namespace"], named["name"]] = int(float(value))
        return found
