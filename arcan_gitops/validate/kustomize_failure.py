"""Why Kustomize did not build a folder: the cause where it is known, what it printed, what it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from arcan_gitops.kustomize_files import kustomization_in
from arcan_gitops.validate.printed import Quotable, scalars

Version = tuple[int, int]

_NEEDED: Final = (5, 4)  # what is generated is for; inside kubectl since 1.31
_MANY_DELETIONS: Final = (5, 7)  # kubernetes-sigs/kustomize #5471; inside kubectl since 1.34

# What Kustomize says of common mistakes -> a sentence.
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


def describe(stderr: str, directory: Path, version: Version | None) -> str:
    """One line that quotes no value of the files below or beside `directory` that were built."""
    quotable = Quotable()
    for file in _files(directory, set()):
        quotable.add_file(file)
    printed = quotable.masked(stderr, directory)
    parts = [_cause(stderr, directory), f"it printed: {printed}" if printed else "it printed nothing"]
    return "; ".join(filter(None, (*parts, _needed(stderr, version))))


def _cause(stderr: str, directory: Path) -> str:
    for pattern, sentence in _CAUSES:
        match = pattern.search(stderr)
        if match is not None:
            here = f"{directory.resolve()}/"
            return sentence.format(
                **{name: text.removeprefix(here) for name, text in match.groupdict().items()}
            )
    return ""


def _needed(stderr: str, version: Version | None) -> str:
    """Which version builds it, where that is known."""
    if version is not None and version < _NEEDED:
        return "kustomize 5.4 or newer is needed, or kubectl 1.31 or newer"
    if "panic: " in stderr and (version is None or version < _MANY_DELETIONS):
        return (
            "versions before 5.7 crash on a patch file with several '$patch: delete' documents: write one "
            "patch for each, or use kustomize 5.7 or newer, or kubectl 1.34 or newer"
        )
    return ""


def _files(directory: Path, seen: set[Path]) -> Iterator[Path]:
    """The files that a kustomization and those that it builds upon name, and their own."""
    file = kustomization_in(directory)
    if file is None or file.resolve() in seen:
        return
    seen.add(file.resolve())
    yield file
    for text in _texts(file):
        for name in {text, text.partition("=")[2]} - {""}:  # `KEY=FILE` of a generator
            path = directory / name
            try:
                if path.is_dir():
                    yield from _files(path, seen)
                elif path.is_file():
                    yield path
            except (OSError, ValueError):  # no path at all, such as an inline patch
                continue


def _texts(file: Path) -> list[str]:
    try:
        return [text for text, _ in scalars(file.read_bytes())]
    except (OSError, UnicodeError, yaml.YAMLError):
        return []
