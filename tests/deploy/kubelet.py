"""A pod's volumes in a temporary folder, laid out as the kubelet lays them out.

Its atomic writer (k8s.io/kubernetes pkg/volume/util/atomic_writer.go) puts the files into a folder named by
the time, points `..data` at it, and makes each name of the top level a link into `..data`: so a realm's folder
is a link, and the files in it are plain files. Before that it makes a folder for each volume that is mounted
inside this one (nested_volumes.go): where a name of the top level is there already, no link is made for it.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path

from tests.deploy.repository import Manifest

Files = Mapping[str, bytes]


class Kubelet:
    """Mounts what a pod template asks for out of the objects of its namespace."""

    def __init__(self, root: Path, objects: list[Manifest], secrets: Mapping[str, Files]) -> None:
        self.root = root
        self._maps = {thing["metadata"]["name"]: thing for thing in objects if thing["kind"] == "ConfigMap"}
        self._secrets = secrets

    def mount(self, pod: Manifest) -> None:
        """Every volumeMount of the one container, below `root`. A source that is missing is a KeyError."""
        (container,) = pod["containers"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        mounts = sorted(container["volumeMounts"], key=lambda mount: mount["mountPath"].count("/"))
        paths = [mount["mountPath"] for mount in mounts]
        for mount in mounts:
            folder = self.root / mount["mountPath"].lstrip("/")
            for nested in paths:
                if nested.startswith(mount["mountPath"] + "/"):
                    (self.root / nested.lstrip("/")).mkdir(parents=True, exist_ok=True)
            volume = volumes[mount["name"]]
            self._write(folder, self._files(volume), self._mode(volume))

    def _files(self, volume: Manifest) -> dict[str, bytes]:
        if "secret" in volume:
            secret = volume["secret"]
            if secret.get("optional") and secret["secretName"] not in self._secrets:
                return {}
            return dict(self._secrets[secret["secretName"]])
        if "configMap" in volume:
            named = volume["configMap"]
            missing = named.get("optional") and named["name"] not in {*self._maps, *self._secrets}
            return {} if missing else dict(self._map(named["name"]))
        files: dict[str, bytes] = {}
        for source in volume["projected"]["sources"]:
            ((kind, reference),) = source.items()
            held = self._secrets[reference["name"]] if kind == "secret" else self._map(reference["name"])
            for item in reference.get("items") or [{"key": key, "path": key} for key in held]:
                assert item["path"] not in files, "two sources write one file"
                files[item["path"]] = held[item["key"]]
        return files

    def _map(self, name: str) -> Files:
        found = self._maps.get(name)
        if found is None:  # made by hand, as the Secrets are
            return self._secrets[name]
        binary = {key: base64.b64decode(text) for key, text in found.get("binaryData", {}).items()}
        return {key: text.encode() for key, text in found.get("data", {}).items()} | binary

    def _mode(self, volume: Manifest) -> int:
        source = volume.get("secret") or volume.get("configMap") or volume["projected"]
        mode: int = source["defaultMode"]
        return mode

    def _write(self, folder: Path, files: Files, mode: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        stamp = "..2026_11_22_07_41_28.1234567890"
        for name, data in files.items():
            path = folder / stamp / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(mode)
        os.symlink(stamp, folder / "..data")
        for top in {name.partition("/")[0] for name in files}:
            if not os.path.lexists(folder / top):
                os.symlink(f"..data/{top}", folder / top)
