"""Wraps `kustomize build`, or `kubectl kustomize`, whichever is there."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from arcan_gitops.errors import ArcanError
from arcan_gitops.yamlio import read_foreign

_TIMEOUT_SECONDS: Final = 300

# Kustomize quotes what it cannot read ("literal sources [...]", "node contents: ..."), and that may be a
# secret: its words are searched for a name or a path that is known to be one, and the rest stays unsaid.
_CAUSES: Final = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (r"already registered id: (?P<it>[^\s']+)", "the same object is given twice: {it}"),
        (r"(?:lstat|stat|open) (?P<it>[^:]+): no such file", "no such file or directory: {it}"),
        (r"cycle detected: candidate root '(?P<it>[^']+)'", "a cycle of kustomizations, at {it}"),
        (r"file '(?P<it>[^']+)' is not in or below", "a file outside the kustomization: {it}"),
        (r'unknown field \\?"(?P<it>\w+)', "unknown field '{it}' in a kustomization"),
        (
            r"cannot unmarshal .* field Kustomization\.(?P<it>\w+)",
            "'{it}' in a kustomization has the wrong type",
        ),
        (r"kustomization\.ya?ml is empty", "the kustomization is empty"),
        (r"MalformedYAMLError: .* in File: (?P<it>\S+)", "not readable as YAML: {it}"),
        (
            r"line (?P<it>\d+): mapping key .* already defined",
            "a key is given twice, in line {it} of an object",
        ),
        (r"invalid literal source", "a literal of a generator is not KEY=VALUE"),
        (r"from '(?P<it>[^']+)': missing (?:kind|metadata)", "an object without kind or name, in {it}"),
        (r"accumulating resources from '(?P<it>[^']+)'", "cannot be read: {it}"),
    )
)


# No PATH, so no git; and a proxy that nothing listens on.
_NO_NETWORK: Final = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
_FILES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_REFERENCES: Final = ("resources", "bases", "components", "crds", "configurations")
_REMOTE: Final = re.compile(r"://|^git@|^github\.com[/:]|\?ref=|\.git\b")


class KustomizeMissing(ArcanError):
    """There is nothing to build overlays with."""


class BuildFailed(ArcanError):
    """Kustomize refused an overlay."""


@dataclass(frozen=True, slots=True)
class Kustomize:
    """The command that builds; the directory comes after it."""

    command: tuple[str, ...]

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
            raise BuildFailed(f"kustomize took more than {_TIMEOUT_SECONDS} s") from None
        except OSError as error:
            raise BuildFailed(f"kustomize cannot be run: {error.strerror}") from None
        if done.returncode != 0:
            raise BuildFailed(
                f"kustomize cannot build it: {_cause(done.stderr.decode(errors='replace'), directory)}"
            )
        return done.stdout


def _refuse_remote(directory: Path, seen: set[Path]) -> None:
    """Follow the folders that a kustomization refers to; raise `BuildFailed` for what is not local."""
    file = next((path for path in map(directory.joinpath, _FILES) if path.is_file()), None)
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


def _cause(stderr: str, directory: Path) -> str:
    for pattern, sentence in _CAUSES:
        match = pattern.search(stderr)
        if match is not None:
            here = f"{directory.resolve()}/"
            return sentence.format(
                **{name: text.removeprefix(here) for name, text in match.groupdict().items()}
            )
    return f"run 'kustomize build {directory}' to see why"
