"""The repository of the reviews' month, one cluster of which is real: Argo CD deploys it, ESO fills it, and pull
requests are reviewed, merged and watched.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.e2e.argo_cd import ArgoCd
from tests.e2e.argo_team import GIT_HOST, SERVICE_HOST, SERVICE_PORT
from tests.e2e.cluster import Cluster, Name
from tests.e2e.git_host import GitHost
from tests.e2e.process import wait_until
from tests.review.month import PullRequest
from tests.review.sample import Sample
from tests.support.live_server import LiveServer
from tests.support.realm_files import RealmFiles

CLUSTER: Final = "eu"  # what Argo CD calls the one cluster that is there
OVERLAY: Final = "prod"
SETTLE_SECONDS: Final = 300
_ISSUER: Final = "https://kubernetes.default.svc"
_NOT_OURS: Final = ("reconcile.external-secrets.io/", "force-sync")  # of ESO, and of who waits for it
_OF_KUBERNETES: Final = "kubernetes.io/service-account-token"


class _Deployed(RealmFiles):
    """What the server has of the realms, and its identity."""

    def __init__(self, root: Path, identity_file: Path) -> None:
        self.root = root
        self.identity_file = identity_file


@dataclass(frozen=True)
class Happened:
    """The Kubernetes Secrets of the real cluster that a pull request touches."""

    made: frozenset[Name] = frozenset()
    changed: frozenset[Name] = frozenset()
    gone: frozenset[Name] = frozenset()

    def __str__(self) -> str:
        parts = {"made": self.made, "changed": self.changed, "gone": self.gone}
        said = [f"{what} {', '.join(map('/'.join, sorted(names)))}" for what, names in parts.items() if names]
        return "; ".join(said) or "nothing"


@dataclass(frozen=True)
class Predicted:
    """What a review said: what happens, and whether something breaks, or a Secret is left behind."""

    happens: Happened
    fails: bool
    sentence: str


class ReviewedFleet:
    """Use as a context manager: the server runs inside, and all is deployed."""

    def __init__(self, folder: Path, cluster: Cluster, argocd: ArgoCd, git: GitHost) -> None:
        self.folder = folder
        self.cluster = cluster
        self._argocd = argocd
        self.sample = Sample(folder)
        self._git = self.sample.repository.git
        remote = git.create("team.git")
        self._git("remote", "add", "origin", str(remote))
        self._others = {item["metadata"]["name"] for item in cluster.api.items("/api/v1/namespaces")}
        self._realms = folder / "deployed" / "realms"
        self._clusters = folder / "deployed" / "clusters"
        self._settle_in()
        self._server = LiveServer(
            _Deployed(self._realms, folder / "server.txt"),
            folder / "server",
            *("--port", str(SERVICE_PORT), "--clusters", str(self._clusters)),
            *(part for host in ("127.0.0.1", "localhost", SERVICE_HOST) for part in ("--tls-host", host)),
        )

    def _settle_in(self) -> None:
        """The month's repository, as far as a real cluster asks for more, or for less."""
        sample = self.sample
        sample.start()
        self._git("checkout", "--quiet", "-B", "main")
        settings = sample.path("kustomize/arcan.yaml")
        settings.write_text(
            settings.read_text().replace("credentials: account", "esoVersion: 0.20.4\n\ncredentials: account")
        )
        keys = self.folder / "jwks.json"
        keys.write_text(self.cluster.api.kubectl("get", "--raw", "/openid/v1/jwks"))
        sample.arcan("cluster", "add", CLUSTER, f"--file={keys}", f"--issuer={_ISSUER}", "--replace")
        for app in sample.path("kustomize/apps").glob("*.yaml"):
            text = app.read_text()
            app.write_text(text.replace("secrets:\n", "overlays: [dev, staging, prod, dr]\nsecrets:\n", 1))
        sample.arcan("realm", "split", "platform", f"--env={OVERLAY}")
        self._roll_out()

    def __enter__(self) -> ReviewedFleet:
        self._server.__enter__()
        try:
            shutil.copy(self._server.ca, self.sample.path("kustomize/ca.crt"))
            self.sample.arcan("generate", "overlays")
            self.sample.main = self.sample.repository.commit()
            self._git("push", "--quiet", "origin", "main")
            api = self.cluster.api
            self._argocd.add_cluster(CLUSTER, api)
            api.kubectl("apply", "--server-side", "-k", str(self.sample.path("kustomize/argocd")))
            self._wait_for_argocd(self.sample.main)
            self._bootstrap()
            self._settle(self.sample.main)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    def _bootstrap(self) -> None:
        """The tokens, which Git must not hold."""
        printed = self.sample.arcan("bootstrap", OVERLAY)
        done = subprocess.run(
            ["bash", "-c", printed],
            cwd=self.sample.root,
            env={**os.environ, **self.cluster.api.for_kubectl, "VALUES": str(self.folder / "tokens")},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    # A pull request, and what becomes of it.

    def propose(self, request: PullRequest) -> Predicted:
        """The branch of a pull request, and what a review says of it."""
        self.sample.start()
        self.sample.sh(request.script)
        self.sample.repository.commit()
        printed = self.sample.arcan("review", "main", "topic", "--format=json", "--fail-on=none")
        return _predicted(json.loads(printed))

    def merge(self) -> None:
        """Merge the branch, roll it out, push it, and wait until Argo CD and ESO have settled on it."""
        self._git("checkout", "--quiet", "main")
        self._git("merge", "--quiet", "--no-ff", "--no-edit", "topic")
        self._publish()

    def revert(self) -> None:
        """Take the last merge back, in the same way."""
        self._git("revert", "--no-edit", "--mainline", "1", "HEAD")
        self._publish()

    def _publish(self) -> None:
        self.sample.main = self._git("rev-parse", "HEAD")
        self._roll_out()
        self._server.reload()
        self._git("push", "--quiet", "origin", "main")
        self._argocd.webhook(self._git("ls-files").split())
        self._settle(self.sample.main)

    def _roll_out(self) -> None:
        """The realms and clusters of the work tree, to where the server reads them."""
        for name, place in (("realms", self._realms), ("clusters", self._clusters)):
            new = place.with_name(f"{name}.new")
            shutil.copytree(self.sample.path(name), new)
            files = {path.relative_to(new) for path in new.rglob("*") if path.is_file()}
            for file in sorted(files):
                (place / file).parent.mkdir(parents=True, exist_ok=True)
                (new / file).replace(place / file)
            for path in list(place.rglob("*")):
                if path.is_file() and path.relative_to(place) not in files:
                    path.unlink()
            shutil.rmtree(new)

    # What is there.

    def _settle(self, revision: str) -> None:
        self._wait_for_argocd(revision)
        self.cluster.refresh(*self._namespaces())
        what = "no Secret is left of an ExternalSecret that went"
        wait_until(what, self._is_clean, SETTLE_SECONDS, every=0.5)

    def _namespaces(self) -> list[str]:
        found = self.cluster.api.items("/apis/external-secrets.io/v1/externalsecrets")
        return sorted({item["metadata"]["namespace"] for item in found} - self._others)

    def _applications(self) -> set[str]:
        """Those that the work tree asks for on the real cluster."""
        found = {f"arcan-{CLUSTER}"}
        overlays = self.sample.path("kustomize/overlays")
        for folder in overlays.glob("*/*/"):
            if self.sample.path(f"kustomize/argocd/clusters/{CLUSTER}/{folder.parent.name}.yaml").exists():
                name = f"arcan.{folder.parent.name}"
                found.add(name if folder.name == "_platform" else f"{name}.{folder.name}")
        return found

    def _wait_for_argocd(self, revision: str) -> None:
        wanted = self._applications()

        def has_settled() -> bool:
            there = self._argocd.applications()
            return all(name in there and _is_at(there[name], revision) for name in wanted)

        try:
            wait_until(f"Argo CD is at {revision}", has_settled, SETTLE_SECONDS, every=0.5)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._argocd.told()}") from None

    def _is_clean(self) -> bool:
        there = self.cluster.api.items("/apis/external-secrets.io/v1/externalsecrets")
        owners = {item["metadata"]["uid"] for item in there}
        return all(
            reference["uid"] in owners
            for item in self._secret_objects()
            for reference in item["metadata"].get("ownerReferences", ())
            if reference["kind"] == "ExternalSecret"
        )

    def _secret_objects(self) -> Iterator[Mapping[str, Any]]:
        """The Secrets of apps: neither those of service accounts, nor the tokens that somebody brought."""
        for item in self.cluster.api.items("/api/v1/secrets"):
            metadata = item["metadata"]
            is_of_app = item["type"] != _OF_KUBERNETES and not metadata["name"].startswith("arcan-")
            if is_of_app and metadata["namespace"] not in self._others:
                yield item

    def secrets(self) -> dict[Name, str]:
        """The digest of each: of its type, its data, its labels and annotations."""
        return {
            (item["metadata"]["namespace"], item["metadata"]["name"]): _digest(item)
            for item in self._secret_objects()
        }


def happened(before: Mapping[Name, str], after: Mapping[Name, str]) -> Happened:
    """What is another Secret than before."""
    return Happened(
        made=frozenset(after.keys() - before.keys()),
        changed=frozenset(name for name in before.keys() & after.keys() if before[name] != after[name]),
        gone=frozenset(before.keys() - after.keys()),
    )


def _digest(item: Mapping[str, Any]) -> str:
    metadata = item["metadata"]
    notes = {
        kind: {name: text for name, text in metadata.get(kind, {}).items() if not name.startswith(_NOT_OURS)}
        for kind in ("labels", "annotations")
    }
    whole = json.dumps([item["type"], item.get("data", {}), notes], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def _is_at(application: Mapping[str, Any], revision: str) -> bool:
    status = application.get("status", {})
    sync = status.get("sync", {})
    ended = status.get("operationState", {}).get("phase") != "Running"
    return (sync.get("status"), sync.get("revision"), ended) == ("Synced", revision, True)


def _predicted(report: Mapping[str, Any]) -> Predicted:
    here: dict[str, set[Name]] = {}
    for each in report["secrets"]:
        if each["cluster"] == CLUSTER:
            here.setdefault(each["what"], set()).add((each["namespace"], each["name"]))
    return Predicted(
        happens=Happened(*(frozenset(here.get(what, ())) for what in ("made", "changed", "gone"))),
        fails=report["summary"]["broken"] > 0 or "stays" in here,
        sentence=report["sentence"],
    )


__all__ = ["GIT_HOST", "Happened", "Predicted", "ReviewedFleet", "happened"]
