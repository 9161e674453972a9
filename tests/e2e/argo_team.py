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

GIT_HOST = "git.example.com"
SERVER_HOST = "arcan.internal"


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
    ) -> None:
        path = f"platform/{folder.name}.git"
        self._remote = git.create(path)
        self._argocd = argocd
        section = {"repository": f"https://{GIT_HOST}/{path}", "project": folder.name.replace("_", "-")[:40]}
        self.project = section["project"]
        super().__init__(folder, cluster, values, {"argocd": section, **settings}, host=SERVER_HOST)
        (folder / ".gitignore").write_text("/deployed/\n/deployed.new/\n/server/\n*.txt\n")
        self._git("init", "--quiet", "-b", "main")
        self._git("remote", "add", "origin", str(self._remote))

    def _git(self, *arguments: str) -> None:
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

    def push(self, *, generate: bool = True) -> float:
        """Generate, commit and push, as a merge does, and tell Argo CD; returns when that was."""
        if generate:
            self.arcan("generate", "overlays")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "--message", "A change")
        self._git("push", "--quiet", "origin", "main")
        self._argocd.webhook()
        return time.monotonic()

    def apply_root(self) -> None:
        """What somebody does by hand, once."""
        self.cluster.api.kubectl("apply", "--server-side", "-k", str(self.folder / "kustomize" / "argocd"))

    def name_of(self, namespace: str | None = None) -> str:
        """The Application of a namespace, or of the platform."""
        return f"{self.project}.{ENVIRONMENT}" + (f".{namespace}" if namespace else "")

    def credential(self, token: str, namespace: str) -> None:
        """A token Secret and the CA, made by hand."""
        self.make_token(token, namespace)

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
