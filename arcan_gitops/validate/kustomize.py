"""Wraps `kustomize build`, or `kubectl kustomize`, whichever is there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Self

from arcan_gitops.errors import ArcanError, printable
from arcan_gitops.kustomize_files import kustomization_in
from arcan_gitops.validate.kustomize_failure import Version, describe
from arcan_gitops.yamlio import read_foreign

_TIMEOUT_SECONDS: Final = 300

# No PATH, so no git; and a proxy that nothing listens on.
_NO_NETWORK: Final = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
_REFERENCES: Final = ("resources", "bases", "components", "crds", "configurations")
_REMOTE: Final = re.compile(r"://|^git@|^github\.com[/:]|\?ref=|\.git\b")


class KustomizeMissing(ArcanError):
    """There is nothing to build overlays with."""


class BuildFailed(ArcanError):
    """Kustomize refused an overlay."""


_VERSION: Final = re.compile(r"\bv?([0-9]+)\.([0-9]+)\.[0-9]+\b")


@dataclass(frozen=True)
class Kustomize:
    """The command that builds; the directory comes after it."""

    command: tuple[str, ...]

    @cached_property
    def _versions(self) -> tuple[str, Version | None]:
        """Its own version as it prints it, and that of the Kustomize in it, as far as it says so."""
        is_kubectl = self.command[-1] == "kustomize"
        arguments = ("version", "--client", "-o", "json") if is_kubectl else ("version",)
        try:
            done = subprocess.run(
                [self.command[0], *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_SECONDS,
                env=_NO_NETWORK,
                check=False,
            )
            text = done.stdout.decode(errors="replace")
            if not is_kubectl:
                return _version_in(text)
            said = json.loads(text)
            own = str(said["clientVersion"]["gitVersion"])
            inner, version = _version_in(str(said.get("kustomizeVersion")))  # kubectl 1.24 and older say none
        except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError):
            return "", None
        return (f"{own} (kustomize {inner})" if inner else own), version

    @property
    def shown(self) -> str:
        """The program and its version: `kustomize v5.8.2`, `kubectl v1.32.4 (kustomize v5.5.0)`."""
        name = "kubectl" if self.command[-1] == "kustomize" else "kustomize"
        return printable(f"{name} {self._versions[0] or 'of a version that it does not say'}")

    @classmethod
    def find(cls) -> Self:
        """The one on PATH. Raises `KustomizeMissing`."""
        for name, verb in (("kustomize", "build"), ("kubectl", "kustomize")):
            program = shutil.which(name)
            if program is not None:
                return cls((program, verb))
        raise KustomizeMissing(
            "neither kustomize nor kubectl is on PATH, and overlays are built with one of them",
            hint="go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.2, or: arcan validate FILE...",
        )

    def build(self, directory: Path) -> bytes:
        """The YAML stream of an overlay. Raises `BuildFailed`, whose message quotes no value.

        What is remote is refused before anything is fetched, and Kustomize is left without git and network.
        """
        _refuse_remote(directory, set())
        try:
            done = subprocess.run(
                [*self.command, str(directory)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_SECONDS,
                env=_NO_NETWORK,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BuildFailed(f"{self.shown} took more than {_TIMEOUT_SECONDS} s") from None
        except OSError as error:
            raise BuildFailed(f"{self.command[0]} cannot be run: {error.strerror}") from None
        if done.returncode != 0:
            why = describe(done.stderr.decode(errors="replace"), directory, self._versions[1])
            raise BuildFailed(f"{self.shown} cannot build it: {why}")
        return done.stdout


def _version_in(text: str) -> tuple[str, Version | None]:
    found = _VERSION.search(text)
    return (found[0], (int(found[1]), int(found[2]))) if found else ("", None)


def _refuse_remote(directory: Path, seen: set[Path]) -> None:
    """Follow the folders that a kustomization refers to; raise `BuildFailed` for what is not local."""
    file = kustomization_in(directory)
    if file is None or file.resolve() in seen:
        return
    seen.add(file.resolve())
    try:
        content = read_foreign(file.read_bytes(), str(file))
    except (ArcanError, OSError):
        return  # Kustomize says what is wrong with it
    if not isinstance(content, dict):
        return
    for field in _REFERENCES:
        listed = content.get(field)
        for entry in listed if isinstance(listed, list) else []:
            if not isinstance(entry, str):
                continue
            if _REMOTE.search(entry):
                raise BuildFailed(
                    f"{file}: {field}: a remote entry: nothing is fetched",
                    hint="copy what it refers to into the repository",
                )
            if (directory / entry).is_dir():
                _refuse_remote(directory / entry, seen)
