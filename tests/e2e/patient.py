"""A namespace that is well, the doctor beside it, and how faults are made in it for real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from arcan_gitops.yamlio import emit
from tests.doctor.scene import deployment
from tests.e2e.api_server import ApiServer
from tests.e2e.cluster import Cluster
from tests.e2e.platform_team import PlatformTeam
from tests.support.live_server import ARCAN

CANARY = "doctor-canary-5f2c"
VALUES = {"A": f"{CANARY}-a", "B": f"{CANARY}-b"}
APP = "app"
NewPatient = Callable[..., "Patient"]
UP = {"replicas": 1, "availableReplicas": 1, "readyReplicas": 1}


class Patient:
    """A namespace with an app of one key and one of all keys, that are well; and the doctor beside it."""

    def __init__(self, team: PlatformTeam, namespace: str) -> None:
        self.team, self.namespace = team, namespace
        self.api = team.cluster.api
        self.api_environment = {**os.environ, **self.api.for_kubectl}

    @property
    def name(self) -> str:
        return f"{self.namespace}/{APP}"

    def doctor(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """The exit status and what was printed; no value and no token is in it."""
        done = subprocess.run(
            [*ARCAN, "doctor", *arguments],
            cwd=self.team.folder, env={**self.api_environment, **environment},
            check=False, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert "Traceback" not in said
        assert "unexpected" not in said, said
        assert CANARY not in said
        assert "arc_" not in said
        return done.returncode, done.stdout

    def report(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """What the doctor says of all ExternalSecrets of the namespace, or of the one that is named."""
        who = arguments if any("/" in word for word in arguments[:1]) else ("-n", self.namespace, *arguments)
        status, printed = self.doctor(*who, "--format", "json", **environment)
        found: dict[str, Any] = json.loads(printed)
        worst = next((name for name in ("error", "warning") if found["summary"][name]), "")
        assert status == {"error": 1, "warning": 3, "": 0}[worst]
        return found

    def findings(self, *arguments: str, **environment: str) -> dict[str, dict[str, Any]]:
        """By check; each has at least one command, and all that could be looked at was."""
        report = self.report(*arguments, **environment)
        assert all(finding["fix"] for finding in report["findings"])
        return {finding["check"]: finding for finding in report["findings"]}

    def assert_well(self) -> None:
        report = self.report()
        assert (report["findings"], report["notDone"]) == ([], [])

    def run(self, command: str) -> None:
        """What the doctor printed, as somebody pastes it."""
        subprocess.run(
            ["sh", "-ec", command],
            check=True,
            cwd=self.team.folder,
            env=self.api_environment,
            capture_output=True,
        )

    def names(
        self, check: str, words: str, *arguments: str, beside: tuple[str, ...] = (), **environment: str
    ) -> dict[str, Any]:
        """The doctor names this fault, and no other."""
        found = self.findings(*arguments, **environment)
        assert check in found, found
        assert words in found[check]["what"]
        assert set(found) - {check} <= set(beside), found
        return found[check]

    def patch(self, kind: str, name: str, *operations: Mapping[str, Any]) -> None:
        self.api.kubectl(
            "patch", kind, name, "-n", self.namespace, "--type=json", "-p", json.dumps(operations)
        )

    def get(self, kind: str, name: str) -> dict[str, Any]:
        return self.team.cluster.object(self.namespace, kind, name)

    def put_back(self, kind: str, found: Mapping[str, Any]) -> None:
        """An object as it was, whatever became of it."""
        name = found["metadata"]["name"]
        self.api.kubectl("delete", kind, name, "-n", self.namespace, "--ignore-not-found")
        kept = ("name", "namespace", "labels", "annotations")
        metadata = {key: value for key, value in found["metadata"].items() if key in kept}
        made = {key: value for key, value in found.items() if key not in ("metadata", "status")}
        self.api.kubectl("create", "-f", "-", data=emit([{**made, "metadata": metadata}]))

    @contextmanager
    def spoilt(self, kind: str, name: str) -> Iterator[dict[str, Any]]:
        """Within, an object may be changed in any way; afterwards it is as it was, and all is well again."""
        before = self.get(kind, name)
        try:
            yield json.loads(json.dumps(before))
        finally:
            self.put_back(kind, before)

    def replace(self, kind: str, found: Mapping[str, Any]) -> None:
        self.put_back(kind, found)

    def sync(self) -> None:
        self.team.cluster.sync(self.namespace)

    def heal(self) -> None:
        """The next refresh of everything works, and the doctor has nothing to say."""
        self.sync()
        self.assert_well()


def brought_up(team: PlatformTeam, namespace: str) -> Patient:
    """The team's namespace, once all in it is well."""
    cluster = team.cluster
    cluster.make_namespace(namespace)
    team.make_token("app", namespace)
    team.declare("app", namespace, {"name": APP, "keys": ["A"]}, {"name": "all", "all": True})
    team.deploy()
    cluster.wait_for_secret(namespace, APP, {"A": VALUES["A"]}, seconds=60)
    cluster.wait_for_secret(namespace, "all", VALUES, seconds=60)
    seen = cluster.sync(namespace)
    assert {one.reason for one in seen.values()} == {"SecretSynced"}
    return Patient(team, namespace)


@contextmanager
def operator_stopped(cluster: Cluster) -> Iterator[None]:
    """Within, ESO does nothing at all."""
    child = cluster._operator._process._child
    assert child is not None
    os.kill(child.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(child.pid, signal.SIGCONT)


@contextmanager
def running(api: ApiServer, name: str, namespace: str, status: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A Deployment with that status: nothing here runs pods."""
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    made = deployment(name, namespace)
    made["spec"]["template"]["metadata"] = {"labels": made["spec"]["selector"]["matchLabels"]}
    made.pop("status")
    api.kubectl("create", "-f", "-", data=emit([made]))
    patch = json.dumps({"status": status})
    api.kubectl(
        "patch", "deployment", name, "-n", namespace, "--subresource=status", "--type=merge", "-p", patch
    )
    try:
        yield made
    finally:
        api.kubectl("delete", "deployment", name, "-n", namespace)
