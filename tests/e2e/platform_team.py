"""A platform team: its repository, the server that it runs, and the cluster that it deploys to.

A merge and its roll-out are two steps here, as they are in a cluster: what is merged reaches the manifests at
once, and the server when it is rolled out.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arcan_gitops.sops import encrypt
from arcan_gitops.yamlio import emit
from tests.e2e.cluster import Cluster
from tests.e2e.process import free_ports
from tests.support.live_server import ARCAN, LiveServer
from tests.support.realm_files import RealmFiles, run_sops

REALM = "production"
ENVIRONMENT = "prod"
OVERLAY = Path("kustomize", "overlays", ENVIRONMENT)


class PlatformTeam:
    """One team with one realm and one environment. Use as a context manager: the server runs inside.

    `settings` are more of `kustomize/arcan.yaml`; `values` are the first document of the realm.
    """

    def __init__(
        self,
        folder: Path,
        cluster: Cluster,
        values: Mapping[str, str],
        settings: Mapping[str, Any] = {},
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clusters: bool = False,
    ) -> None:
        self.folder = folder
        self.cluster = cluster
        self._files = RealmFiles(folder)
        self._deployed = folder / "deployed"  # what the server has of the realms
        self._revoked = folder / "revoked"  # where its pods would have ConfigMap arcan-revoked
        self.port = port or free_ports(1)[0]
        self._host = host
        self._clusters = clusters  # whether the server reads the clusters' keys of the repository
        if clusters:
            (folder / "clusters").mkdir()
        self._settings: dict[str, Any] = {
            "server": {"url": self.server_url},
            "esoVersion": "0.20.4",
            "overlays": {ENVIRONMENT: {"environment": ENVIRONMENT}},
            **settings,
        }
        (folder / "kustomize" / "apps").mkdir(parents=True)
        self._write("kustomize/arcan.yaml", self._settings)
        self.values: dict[str, str] = {}
        self._good = b""
        self.merge(values)
        self.roll_out()
        self.server = self.new_server()

    def __enter__(self) -> PlatformTeam:
        self.server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()

    def _write(self, name: str, document: Mapping[str, Any]) -> None:
        (self.folder / name).write_text(emit([document]))

    def set(self, name: str, value: object) -> None:
        """A setting of `arcan.yaml`."""
        self._settings[name] = value
        self._write("kustomize/arcan.yaml", self._settings)

    def new_server(self, *more: str) -> LiveServer:
        """A server that is not started yet; all of them have one CA."""
        own = [] if "--tls-cert" in more else dict.fromkeys(("127.0.0.1", "localhost", self._host))
        options = [
            "--realms",
            str(self._deployed),
            "--port",
            str(self.port),
            "--revoked",
            str(self._revoked),
            *(part for host in own for part in ("--tls-host", host)),
            *(["--clusters", str(self.folder / "clusters")] if self._clusters else []),
            *more,
        ]
        return LiveServer(self._files, self.folder / "server", *options)

    @property
    def server_url(self) -> str:
        """Where the server is."""
        return f"https://{self._host}:{self.port}"

    def restart_server(self) -> None:
        """Start the server again, once it has ended."""
        self.server.__exit__()
        self.server = self.new_server()
        self.server.__enter__()

    def serve_certificate_of(self, folder: Path, authorities: bytes) -> None:
        """Start the server again, with `tls.crt` and `tls.key` of a folder, issued by the authorities (PEM)."""
        self.server.__exit__()
        pair = ("--tls-cert", str(folder / "tls.crt"), "--tls-key", str(folder / "tls.key"))
        self.server = self.new_server(*pair)
        self.server.ca = folder / "ca.crt"
        self.server.ca.write_bytes(authorities)
        self.server.__enter__()

    @contextmanager
    def restarting_slowly(self) -> Iterator[None]:
        """Within, the server is between its start and its first request: it waits for its identity."""
        self.server.__exit__()
        identity_file = self._files.identity_file
        identity = identity_file.read_bytes()
        identity_file.unlink()
        os.mkfifo(identity_file, 0o600)
        self.server = self.new_server()
        with ThreadPoolExecutor() as pool:
            started = pool.submit(self.server.__enter__)
            try:
                yield
            finally:
                identity_file.write_bytes(identity)  # opens once the server reads
                started.result()
                identity_file.unlink()
                identity_file.touch(0o600)
                identity_file.write_bytes(identity)

    @contextmanager
    def hanging_server(self) -> Iterator[None]:
        """Within, the server's processes are stopped where they are."""
        main = self.server.process.pid
        workers = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        processes = [main, *map(int, workers)]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def arcan(self, *arguments: str) -> str:
        """Run the command line in the repository, and return its result."""
        done = subprocess.run(
            [*ARCAN, *arguments],
            cwd=self.folder,
            env={**os.environ, **self.cluster.api.for_kubectl},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"arcan {' '.join(arguments)}:\n{done.stderr}"
        return done.stdout

    def merge(self, values: Mapping[str, str]) -> None:
        """A new state of the realm in Git; as sops does it, only what has changed is encrypted anew."""
        document = self._files.path(REALM, ENVIRONMENT)
        if not document.exists():
            self._files.write(REALM, ENVIRONMENT, emit([values]).removeprefix("---\n"))
            self.values = dict(values)
        for key in self.values.keys() - values.keys():
            self._sops("unset", str(document), f'["{key}"]')
        for key, value in values.items():
            if self.values.get(key) != value:
                self._sops("set", "--value-stdin", str(document), f'["{key}"]', data=json.dumps(value))
        self.values = dict(values)

    def _sops(self, *arguments: str, data: str = "") -> None:
        done = run_sops(*arguments, data=data.encode(), identity=self._files.identity)
        assert done.returncode == 0, done.stderr.decode()

    def tamper(self, key: str) -> None:
        """A change in Git by somebody who has no key."""
        document = self._files.path(REALM, ENVIRONMENT)
        self._good = document.read_bytes()
        self._files.tamper(document, key)

    def restore(self) -> None:
        """What was tampered with, as it was."""
        self._files.replace(self._files.path(REALM, ENVIRONMENT), self._good)

    def copy_from_another_realm(self, values: Mapping[str, str]) -> None:
        """Somebody with write access puts the document of realm `other`, which is bound to it, in the place of
        this one.
        """
        path = self._files.path(REALM, ENVIRONMENT)
        place = f"other/{ENVIRONMENT}"
        self._files.replace(path, encrypt(dict(values), recipients=[self._files.recipient], place=place))

    def record_removals(self) -> None:
        """In this realm a missing key counts as removed only where that is recorded."""
        (self._files.root / REALM / "realm.yaml").write_text("deletions: recorded\n")
        self.roll_out()

    def unset(self, key: str) -> None:
        """Remove a key, as people do it."""
        held = ("--identity-file", str(self._files.identity_file))
        self.arcan("secret", "unset", REALM, key, "--env", ENVIRONMENT, "--yes", *held)
        del self.values[key]

    def split(self) -> None:
        """From now on each key has a file; rolled out."""
        rules = f"creation_rules:\n  - path_regex: ^realms/\n    age: {self._files.recipient}\n"
        (self.folder / ".sops.yaml").write_text(rules)
        held = ("--identity-file", str(self._files.identity_file))
        self.arcan("realm", "split", REALM, "--env", ENVIRONMENT, *held)
        (self._deployed / REALM / f"{ENVIRONMENT}.sops.yaml").unlink()
        self.roll_out()

    def set_without_identity(self, key: str, value: str) -> None:
        """Set a value as somebody does it who can read none: no identity is given, and none is in the home."""
        home = self.folder / "home-of-nobody"
        home.mkdir(exist_ok=True)
        done = subprocess.run(
            [*ARCAN, "secret", "set", REALM, key, "--env", ENVIRONMENT, "--stdin"],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(home)},
            input=value.encode(),
            check=False,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr.decode()
        self.values[key] = value

    def spoil(self, key: str) -> None:
        """A merge that was not finished in the file of a key."""
        path = self._files.root / REALM / ENVIRONMENT / f"{key}.sops.yaml"
        self._files.replace(path, b"<<<<<<< HEAD\n" + path.read_bytes())

    def roll_out(self) -> None:
        """Bring what is in Git to the server, and wait until it has seen it."""
        new = self._deployed.with_name("deployed.new")
        shutil.copytree(self._files.root, new)
        if not self._deployed.exists():
            new.rename(self._deployed)
            return
        for file in sorted(path.relative_to(new) for path in new.rglob("*") if path.is_file()):
            (self._deployed / file).parent.mkdir(parents=True, exist_ok=True)
            (new / file).replace(self._deployed / file)
        shutil.rmtree(new)
        if self.server.process.poll() is None:
            self.server.reload()

    def make_token(
        self, name: str, *namespaces: str, key: str = "", secret: str = "arcan-credentials"
    ) -> None:
        """A token of the realm, as a Secret in each of the namespaces, with the CA beside it; rolled out."""
        scope = ["--key", key] if key else []
        create = ["token", "create", "--realm", REALM, "--name", name, "--policy", "read-only", *scope]
        manifest = self.arcan(*create, "--format", "secret", "--namespace", namespaces[0])
        objects = []
        for namespace in namespaces:
            placed = manifest.replace(f"namespace: {namespaces[0]}\n", f"namespace: {namespace}\n")
            objects.append(placed.replace("name: arcan-credentials\n", f"name: {secret}\n"))
            metadata = {"name": "arcan-ca", "namespace": namespace}
            data = {"ca.crt": self.server.ca.read_text()}
            objects.append(
                emit([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}])
            )
        self.cluster.api.apply_printed("\n".join(objects))
        self.roll_out()

    def revoke(self, name: str) -> None:
        """Revoke a token, in Git and on the server."""
        self.arcan("token", "revoke", name, "--realm", REALM, "--yes")
        self.roll_out()

    def revoke_now(self, name: str) -> None:
        """Revoke a token in Git, and in the cluster by the command that is printed; the kubelets bring it to
        the server.
        """
        command = self.arcan("token", "revoke", name, "--realm", REALM, "--yes", "--now")
        self.cluster.api.run_printed(command)
        entries = self.cluster.object("arcan", "configmap", "arcan-revoked")["data"]
        self._revoked.mkdir()
        for token_id, text in entries.items():
            (self._revoked / token_id).write_text(text)

    def declare(self, name: str, namespace: str | None, *secrets: Mapping[str, Any], **fields: Any) -> None:
        """An app, or a new version of it; unless `fields` say otherwise, it reads the realm by a token of its name."""
        place = {} if namespace is None else {"namespace": namespace}
        source = {} if "store" in fields else {"realm": REALM, "token": name}
        app = {"name": name, **source, **place, **fields}
        if app.get("token", name) is None:
            del app["token"]  # it reads by an account
        self._write(f"kustomize/apps/{name}.yaml", {**app, "secrets": [dict(secret) for secret in secrets]})

    @property
    def overlay(self) -> Path:
        """The folder of the one there is."""
        return self.folder / OVERLAY

    def deploy(self) -> None:
        """Generate the overlays, and apply the one there is, as it is."""
        self.arcan("generate", "overlays")
        self.cluster.api.apply_from_git(self.overlay)

    def apply_with_typo(self, right: str, wrong: str) -> None:
        """The overlay as somebody has spoilt it after it was generated."""
        manifests = self.cluster.api.kubectl("kustomize", str(self.overlay))
        assert right in manifests
        self.cluster.api.apply_printed(manifests.replace(right, wrong))
