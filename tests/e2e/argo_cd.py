"""Argo CD itself: its application controller, its repo server and its ApplicationSet controller, and a Redis.

Without its API server, which only people and Git hosts talk to: an annotation asks for a refresh, as a Git
host's webhook does.
"""

from __future__ import annotations

import base64
import json
import secrets
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.e2e.api_server import ApiServer
from tests.e2e.https_host import HttpsHost
from tests.e2e.process import Process, free_ports, wait_until
from tests.e2e.programs import Programs

NAMESPACE = "argocd"
_GROUP = "/apis/argoproj.io/v1alpha1"
_SETS = "argocd.argoproj.io/application-set-refresh"
_ORDINARY = {"app.kubernetes.io/part-of": "argocd"}
_WRAPPER = "#!/bin/sh\nexit 0\n"  # what checks a commit's signature, where somebody asked for that


class ArgoCd:
    """The three controllers on one API server. Use as a context manager."""

    def __init__(self, programs: Programs, api: ApiServer, folder: Path, hosts: Sequence[HttpsHost]) -> None:
        """`hosts` are those of Git and of charts, whose CAs it trusts."""
        self._api = api
        self._key = secrets.token_urlsafe(32)
        self._folder = folder / "argocd"
        self._folder.mkdir()
        self._programs = programs
        redis, repo, *others = (f"127.0.0.1:{port}" for port in free_ports(8))
        repo_port = repo.rpartition(":")[2]
        tls = self._folder / "tls"
        tls.mkdir()
        for each in hosts:
            shutil.copy(each.ca, tls / each.host)
        tools = self._folder / "bin"
        tools.mkdir()
        (tools / "git-verify-wrapper.sh").write_text(_WRAPPER)
        (tools / "git-verify-wrapper.sh").chmod(0o755)
        found = shutil.which("kustomize")
        assert found is not None
        (tools / "kustomize").symlink_to(found)
        (tools / "helm").symlink_to(programs["helm"])
        environment = {
            "PATH": f"{tools}:/usr/bin:/bin",
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            "KUBECONFIG": str(api.kubeconfig),
            "ARGOCD_FAKE_IN_CLUSTER": "true",
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_GNUPGHOME": str(self._folder / "gnupg"),
            "ARGOCD_GPG_DATA_PATH": str(self._folder / "gpg"),
            "ARGOCD_PLUGINSOCKFILEPATH": str(self._folder / "plugins"),
            "ARGOCD_SSH_DATA_PATH": str(self._folder / "ssh"),
            "ARGOCD_TLS_DATA_PATH": str(tls),
            "ARGOCD_APPLICATION_CONTROLLER_REPO_SERVER_PLAINTEXT": "true",
            "HTTPS_PROXY": "http://127.0.0.1:1",  # nothing leaves this machine
            "NO_PROXY": ",".join(
                ["127.0.0.1", "localhost", "kubernetes.default.svc", *(each.host for each in hosts)]
            ),
            "HOSTNAME": "argocd-application-controller-0",
        }
        for name in ("gnupg", "gpg", "plugins", "ssh"):
            (self._folder / name).mkdir(mode=0o700)
        (self._folder / "ssh" / "ssh_known_hosts").touch()
        common = ["--loglevel=info", "--logformat=text"]
        kubeconfig = [f"--kubeconfig={api.kubeconfig}", f"--namespace={NAMESPACE}"]
        self._redis = self._process("redis", environment, redis)
        self._repo = self._process(
            "argocd-repo-server",
            environment,
            *common,
            "--address=127.0.0.1",
            f"--port={repo_port}",
            "--metrics-address=127.0.0.1",
            f"--metrics-port={others[0].rpartition(':')[2]}",
            f"--redis={redis}",
            "--disable-tls",
            "--client-ca-path=",
        )
        self.controller = self._process(
            "argocd-application-controller",
            environment,
            *common,
            *kubeconfig,
            f"--redis={redis}",
            f"--repo-server={repo}",
            "--repo-server-plaintext",
            f"--metrics-port={others[1].rpartition(':')[2]}",
        )
        self._sets = self._process(
            "argocd-applicationset-controller",
            environment,
            *common,
            *kubeconfig,
            f"--argocd-repo-server={repo}",
            "--repo-server-plaintext",
            f"--metrics-addr={others[2]}",
            f"--probe-addr={others[3]}",
            f"--webhook-addr={others[4]}",
        )

    def _process(self, name: str, environment: Mapping[str, str], *arguments: str) -> Process:
        command = [str(self._programs["argocd"]), *arguments]
        log = self._folder.parent / f"{name}.log"
        return Process(command, {**environment, "ARGOCD_BINARY_NAME": name}, log)

    def __enter__(self) -> ArgoCd:
        self._install()
        try:
            self._redis.start()
            self._redis.wait_until("Redis listens", lambda: "listening" in self._redis.log)
            for process in (self._repo, self.controller, self._sets):
                process.start()
            self._repo.wait_until("the repo server listens", lambda: "is listening" in self._repo.log)
            self.controller.wait_until(
                "the controller works",
                lambda: "Synced" in self.controller.log or "Starting" in self.controller.log,
            )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self._sets, self.controller, self._repo, self._redis):
            process.stop()

    def _install(self) -> None:
        """What an installation of Argo CD has beside its programs."""
        self._api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        everything = [{"group": "*", "kind": "*"}]
        anywhere = [{"server": "*", "namespace": "*"}]
        self._api.apply(
            {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "AppProject",
                "metadata": {"name": "default", "namespace": NAMESPACE},
                "spec": {
                    "sourceRepos": ["*"],
                    "destinations": anywhere,
                    "clusterResourceWhitelist": everything,
                },
            }
        )
        for kind, name in (
            ("ConfigMap", "argocd-cm"),
            ("ConfigMap", "argocd-cmd-params-cm"),
            ("ConfigMap", "argocd-rbac-cm"),
            ("Secret", "argocd-secret"),
        ):
            metadata = {"name": name, "namespace": NAMESPACE, "labels": _ORDINARY}
            content = {"stringData": {"server.secretkey": self._key}} if kind == "Secret" else {}
            self._api.apply({"apiVersion": "v1", "kind": kind, "metadata": metadata, **content})

    # What stories ask of it.

    def applications(self) -> dict[str, dict[str, Any]]:
        """The Applications by name."""
        items = self._api.items(f"{_GROUP}/namespaces/{NAMESPACE}/applications")
        return {item["metadata"]["name"]: item for item in items}

    def states(self) -> dict[str, tuple[str, str]]:
        """Application -> sync and health."""
        return {name: state_of(item) for name, item in self.applications().items()}

    def add_cluster(self, name: str, api: ApiServer) -> None:
        """What `argocd cluster add` makes: another API server, by name."""
        trust = base64.b64encode(api.certificate.read_bytes()).decode()
        config = {"bearerToken": api.token, "tlsClientConfig": {"caData": trust}}
        labels = {"argocd.argoproj.io/secret-type": "cluster"}
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"cluster-{name}", "namespace": NAMESPACE, "labels": labels},
            "stringData": {"name": name, "server": api.url, "config": json.dumps(config)},
        }
        self._api.apply(manifest)

    def remove_cluster(self, name: str) -> None:
        """What `argocd cluster rm` does."""
        self._api.kubectl("delete", "secret", f"cluster-{name}", "-n", NAMESPACE)

    def remove_all(self) -> None:
        """All that a team has had Argo CD make; what was deployed stays, as nothing here cascades.

        Its controllers are stopped meanwhile: they would make again what is half gone.
        """
        for process in (self._sets, self.controller):
            process.stop()
        kubectl = self._api.kubectl
        for application in self.applications():
            patch = '{"metadata":{"finalizers":null}}'
            kubectl("patch", "application", application, "-n", NAMESPACE, "--type=merge", "-p", patch)
        for kind in ("applicationset", "application", "appproject"):
            kubectl("delete", kind, "--all", "-n", NAMESPACE)
        kubectl("delete", "configmap", "argocd-cm", "-n", NAMESPACE, "--ignore-not-found")
        self._install()
        for process in (self.controller, self._sets):
            process.start()

    def webhook(self, changed: Collection[str]) -> None:
        """Files were pushed: look at them now, and not at the next poll.

        As Argo CD answers to a Git host: each ApplicationSet, and the Applications that `changed` is of, by
        their annotation `manifest-generate-paths`.
        """
        sets = self._api.items(f"{_GROUP}/namespaces/{NAMESPACE}/applicationsets")
        self._refresh("applicationset", [item["metadata"]["name"] for item in sets], f"{_SETS}=true")
        touched = [name for name, item in self.applications().items() if _is_of(item, changed)]
        self._refresh("application", touched, "argocd.argoproj.io/refresh=normal")

    def _refresh(self, kind: str, names: Sequence[str], stamp: str) -> None:
        if names:
            self._api.kubectl("annotate", kind, *names, "-n", NAMESPACE, "--overwrite", stamp)

    def wait_for(
        self, what: str, condition: Callable[[dict[str, tuple[str, str]]], object], seconds: float = 60
    ) -> None:
        """Wait for a state of the Applications."""
        try:
            wait_until(what, lambda: condition(self.states()), seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.told()}") from None

    def wait_for_text(self, application: str, text: str, seconds: float = 60) -> None:
        """Wait until an Application says something."""

        def says() -> bool:
            item = self.applications().get(application, {})
            return text in json.dumps(item.get("status", {}))

        wait_until(f"{application} says {text!r}", says, seconds)

    def restart_controller(self) -> None:
        """The application controller again, after it has ended."""
        self.controller.stop()
        self.controller.start()

    def told(self) -> str:
        """What the Applications say of themselves."""
        lines = []
        for name, item in sorted(self.applications().items()):
            status = item.get("status", {})
            operation = status.get("operationState", {})
            said = [one["message"] for one in status.get("conditions", ())]
            lines.append(
                f"{name}: {state_of(item)} {operation.get('phase')}: {operation.get('message')} {said}"
            )
            for resource in status.get("resources", ()):
                if resource.get("status") != "Synced" or resource.get("health", {}).get("status") not in (
                    None,
                    "Healthy",
                ):
                    lines.append(f"    {json.dumps(resource)}")
        return "\n".join(lines)


def _is_of(application: Mapping[str, Any], changed: Collection[str]) -> bool:
    """Whether one of the files may change what the Application deploys."""
    paths = application["metadata"].get("annotations", {}).get("argocd.argoproj.io/manifest-generate-paths")
    folder = application["spec"]["source"].get("path", "") if paths == "." else ""
    return any(file.startswith(folder) for file in changed)


def state_of(application: Mapping[str, Any]) -> tuple[str, str]:
    """Sync and health, as Argo CD has them."""
    status = application.get("status", {})
    return (
        status.get("sync", {}).get("status", "Unknown"),
        status.get("health", {}).get("status", "Unknown"),
    )
