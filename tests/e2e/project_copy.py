"""The repository's own sample realms, apps and overlays, with one thing changed: where the server is."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.api_server import ApiServer
from tests.e2e.process import free_ports
from tests.e2e.programs import ROOT
from tests.support.live_server import ARCAN, LiveServer
from tests.support.realm_files import RealmFiles, run_sops

STORE_URLS = ("https://arcan.internal:9797", "https://arcan.arcan.svc:9797")


class _SampleRealms(RealmFiles):
    """The sample realms, which the demo identity opens."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "realms"
        self.identity_file = folder / "identity.txt"
        self.identity = self.identity_file.read_text()


@dataclass(frozen=True)
class SampleToken:
    """A token of the samples, and the namespace of the app that uses it."""

    realm: str
    name: str
    namespace: str


TOKENS = (
    SampleToken("production", "shop", "shop"),
    SampleToken("production", "mailer", "mailer"),
    SampleToken("platform", "monitoring", "monitoring"),
)


class ProjectCopy:
    """A copy of the repository. Use as a context manager: the server runs inside."""

    def __init__(self, folder: Path, api: ApiServer) -> None:
        self._folder = folder
        self._api = api
        for name in ("realms", "kustomize"):
            shutil.copytree(ROOT / name, folder / name)
        shutil.copy(ROOT / "demo" / "worthless-identity.txt", folder / "identity.txt")
        (folder / "identity.txt").chmod(0o600)
        self._realms = _SampleRealms(folder)
        port = free_ports(1)[0]
        settings = folder / "kustomize" / "arcan.yaml"
        text = settings.read_text()
        for url in STORE_URLS:
            assert url in text
            text = text.replace(url, f"https://127.0.0.1:{port}")
        settings.write_text(text)
        options = [
            "--port",
            str(port),
            "--tls-host",
            "127.0.0.1",
            "--tls-host",
            "localhost",
            "--allow-demo-identity",
        ]
        self._server = LiveServer(self._realms, folder / "server", *options)

    def __enter__(self) -> ProjectCopy:
        secrets = [self._new_token(token) for token in TOKENS]
        self._arcan("generate", "overlays")
        self._server.__enter__()
        for token, secret in zip(TOKENS, secrets, strict=True):
            self._api.apply_printed(secret)
            metadata = {"name": "arcan-ca", "namespace": token.namespace}
            data = {"ca.crt": self._server.ca.read_text()}
            self._api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    def _new_token(self, token: SampleToken) -> str:
        """The token anew, as the manifest of its Secret: of the old one only the digest is known."""
        rotate = ["token", "rotate", token.name, "--realm", token.realm, "--overlap", "0s"]
        return self._arcan(*rotate, "--format", "secret", "--namespace", token.namespace)

    def _arcan(self, *arguments: str) -> str:
        done = subprocess.run(
            [*ARCAN, *arguments], cwd=self._folder, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, f"arcan {' '.join(arguments)}:\n{done.stderr}"
        return done.stdout

    @property
    def overlays(self) -> list[Path]:
        """Those that are declared, by name."""
        return sorted((self._folder / "kustomize" / "overlays").iterdir())

    def values(self, realm: str, environment: str) -> dict[str, object]:
        """What sops itself makes of an environment, in either layout."""
        folder = self._realms.root / realm / environment
        documents = sorted(folder.iterdir()) if folder.is_dir() else [self._realms.path(realm, environment)]
        values: dict[str, object] = {}
        for document in documents:
            done = run_sops("decrypt", "--output-type", "json", str(document), identity=self._realms.identity)
            assert done.returncode == 0, done.stderr.decode()
            read = json.loads(done.stdout)
            assert read.pop("arcan_place", f"{realm}/{environment}") == f"{realm}/{environment}"
            values |= read
        return values
