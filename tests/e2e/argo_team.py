"""A platform team whose repository is on a Git host, and whose overlays Argo CD deploys."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.e2e.argo_cd import ArgoCd
from tests.e2e.cluster import Cluster
from tests.e2e.git_host import GitHost
from tests.e2e.platform_team import ENVIRONMENT, REALM, PlatformTeam
from tests.e2e.process import wait_until
from tests.e2e.programs import ROOT

GIT_HOST = "git.example.com"
# From a webhook to the Secret of an app that is well. It takes 3 to 5 on a machine that does nothing else, and
# each story prints what it took; what waits for health, for a poll or behind another app takes longer than this.
SECONDS = 20
FIX_SECONDS = 35  # the longest pause between two tries is 30
SERVER_HOST = "arcan.internal"
SERVICE_HOST, SERVICE_PORT = "arcan.arcan.svc", 9797  # of a server that the overlay deploys


class ArgoTeam(PlatformTeam):
    """A team with one realm, one environment and one cluster."""

    def __init__(
        self,
        folder: Path,
        cluster: Cluster,
        argocd: ArgoCd,
        git: GitHost,
        values: Mapping[str, str],
        settings: Mapping[str, Any] = {},
        *,
        clusters: bool = False,
        deploy: Mapping[str, Any] | None = None,
    ) -> None:
        """`deploy` has Argo CD deploy a server, in whose place a real one listens at its address."""
        path = f"platform/{folder.name}.git"
        self._remote = git.create(path)
        self._argocd = argocd
        self.project = folder.name
        self.repository = f"https://{GIT_HOST}/{path}"
        section = {
            "repository": self.repository,
            "project": self.project,
            **settings.get("argocd", {}),
        }
        host, port = (SERVER_HOST, 0) if deploy is None else (SERVICE_HOST, SERVICE_PORT)
        settings = {**settings, "argocd": section}
        super().__init__(folder, cluster, values, settings, host=host, port=port, clusters=clusters)
        if deploy is not None:
            self.deploy_server(**deploy)
        if clusters:  # nobody makes a ConfigMap by hand
            self.set("server", {"url": self.server_url, "ca": {"file": "ca.crt"}})
        (folder / ".gitignore").write_text("/deployed/\n/deployed.new/\n/server/\n/values/\n*.txt\n")
        self._git("init", "--quiet", "-b", "main")
        self._git("remote", "add", "origin", str(self._remote))

    def _git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Team", "-c", "user.email=team@example.com"]
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.folder,
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}:\n{done.stderr}"
        return done.stdout

    def __enter__(self) -> ArgoTeam:
        super().__enter__()
        (self.folder / "kustomize" / "ca.crt").write_text(self.server.ca.read_text())
        return self

    def deploy_server(self, **deploy: Any) -> None:
        """How Argo CD deploys the server, from the next push on."""
        self.set("server", {"url": self.server_url, "deploy": deploy})

    def push(self, *, generate: bool = True, webhook: bool = True) -> float:
        """Generate, commit and push, as a merge does, and tell Argo CD; returns when that was."""
        if generate:
            self.arcan("generate", "overlays")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "--message", "A change")
        self._git("push", "--quiet", "origin", "main")
        started = time.monotonic()
        if webhook:
            self._argocd.webhook(self._git("show", "--name-only", "--format=", "HEAD").split())
        return started

    @staticmethod
    def now() -> float:
        """The clock that all times of a story are of."""
        return time.monotonic()

    def apply_root(self) -> None:
        """What somebody does by hand, once."""
        self.cluster.api.kubectl("apply", "--server-side", "-k", str(self.folder / "kustomize" / "argocd"))

    def apply_health(self) -> None:
        """The check of Applications, which has a file of its own."""
        file = self.folder / "kustomize" / "argocd" / "health.yaml"
        self.cluster.api.kubectl("apply", "--server-side", "-f", str(file))

    def name_of(self, namespace: str | None = None) -> str:
        """The Application of a namespace, or of the platform."""
        return f"{self.project}.{ENVIRONMENT}" + (f".{namespace}" if namespace else "")

    def add_app(self, name: str, namespace: str, *keys: str, secret: str = "", **fields: Any) -> None:
        """An app that reads these keys into one Secret of its name, with a token of its name in Git."""
        self.declare(name, namespace, {"name": secret or name, "keys": list(keys)}, **fields)

    def copy_credentials(self, namespace: str, other: Cluster, into: str = "") -> None:
        """The token Secret and the CA of a namespace, in another cluster or namespace as well."""
        for kind, name in (("secret", "arcan-credentials"), ("configmap", "arcan-ca")):
            found = self.cluster.object(namespace, kind, name)
            kept = {key: value for key, value in found.items() if key not in ("metadata", "immutable")}
            labels = found["metadata"].get("labels", {})
            metadata = {"name": name, "namespace": into or namespace, "labels": labels}
            other.api.apply({**kept, "metadata": metadata})

    def new_token(self, name: str) -> None:
        """A token in Git, whose Secret is in no cluster yet."""
        create = [
            "--realm",
            REALM,
            "--name",
            name,
            "--policy",
            "read-only",
            "--output-file",
            f"{name}.token.txt",
        ]
        self.arcan("token", "create", *create)
        self.roll_out()

    @property
    def environment(self) -> dict[str, str]:
        """Variables for the commands of somebody who sits in front of this repository and its cluster."""
        path = f"{ROOT / '.venv' / 'bin'}:{self.cluster.api.for_kubectl['PATH']}"
        return {
            **self.cluster.api.for_kubectl,
            "PATH": path,
            "VALUES": str(self.folder / "values"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{f"GIT_{who}_NAME": "Team" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "team@example.com" for who in ("AUTHOR", "COMMITTER")},
        }

    def give_values(self) -> None:
        """What `arcan bootstrap` puts into the cluster, in files: the tokens that were made, and the CA."""
        values = self.folder / "values"
        for file in self.folder.glob("*.token.txt"):
            place = values / "tokens" / REALM / file.name.removesuffix(".token.txt")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(file.read_text())
        (values / "tls").mkdir(exist_ok=True)
        (values / "tls" / "ca.crt").write_text(self.server.ca.read_text())

    def bootstrap(self) -> float:
        """Run what `arcan bootstrap` prints; returns when it ended."""
        self.give_values()
        done = subprocess.run(
            ["bash", "-c", self.arcan("bootstrap", ENVIRONMENT)],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return time.monotonic()

    def has(self, namespace: str, secret: str, **values: str) -> bool:
        """Whether a Kubernetes Secret is what it should be."""
        expected = {key: value.encode() for key, value in values.items()}
        return self.cluster.secret(namespace, secret) == expected

    def change(self, **values: str) -> float:
        """A merge that changes values, and its webhook; returns when that was."""
        self.merge({**self.values, **values})
        self.roll_out()
        return self.push()

    def seconds_until(
        self, since: float, what: str, condition: Callable[[], object], most: float = 60
    ) -> float:
        """Wait, and return how long it took since `since`; what Argo CD says is told on failure."""
        try:
            wait_until(what, condition, most)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._argocd.told()}") from None
        return time.monotonic() - since


__all__ = ["ENVIRONMENT", "GIT_HOST", "REALM", "SERVER_HOST", "ArgoTeam"]
