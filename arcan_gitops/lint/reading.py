"""Files, folders and standard input -> documents, each with its lines and the comments in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.lint.nodes import Node, Oddity, Unreadable, read_nodes
from arcan_gitops.yamlio import Template, certain_template, likely_template
from arcan_gitops.yamlio.faults import directive, encoding_fault, unreadable

_SUFFIXES: Final = (".yaml", ".yml")
# At column 0 these three characters end a document, also inside what looks like a scalar (YAML 1.2, 9.1.2).
_SEPARATOR: Final = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_GIVES_VALUES: Final = ("Application", "ApplicationSet", "HelmChart", "HelmChartConfig", "HelmRelease")
_NEEDS_QUOTES: Final = re.compile(r"\{\{|\$[.\[]")


@dataclass(frozen=True, slots=True)
class Source:
    """A file's name, as it is shown, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """One document's text; `first_line` counts from 1, in its file."""

    source: str
    first_line: int
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document that is YAML."""

    chunk: Chunk
    root: Node
    oddities: tuple[Oddity, ...] = ()


@dataclass(frozen=True, slots=True)
class NotYaml:
    """A document that is none; `template`: of Helm or Jinja; `hint`: empty where there is no special one."""

    chunk: Chunk
    line: int
    problem: str
    hint: str = ""
    template: Template | None = None


def files_under(path: Path) -> tuple[Path, ...]:
    """The file itself, or every .yaml and .yml file below a folder, sorted; hidden ones are left out.

    Raises `ArcanError` for a path that does not exist, and for a folder without any.
    """
    if path.is_file():
        return (path,)
    if not path.is_dir():
        raise ArcanError(
            f"{path}: no such file or folder",
            hint="give files, folders, or - for standard input: kustomize build DIR | arcan lint manifests -",
        )
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(folder, name) for name in names if name.endswith(_SUFFIXES) and not name.startswith(".")
        ]
    if not found:
        raise ArcanError(f"{path}: no manifests here", hint="a manifest's name ends in .yaml or .yml")
    return tuple(sorted(found))


def read_file(path: Path) -> Source:
    """Raises `ArcanError` for a file that cannot be read."""
    try:
        return Source(str(path), path.read_bytes())
    except OSError as error:
        raise ArcanError(f"{path}: cannot be read: {error.strerror}") from None


def read_documents(source: Source) -> Iterator[Document | NotYaml]:
    """The documents of a source in order; one that is not readable does not hide the others."""
    if (fault := encoding_fault(source.data)) is not None:
        yield NotYaml(Chunk(source.name, 1, ""), fault.line, fault.problem, fault.hint or "")
        return
    text = source.data.decode("utf-8-sig")
    for chunk in _chunks(source.name, text):
        certain = certain_template(chunk.text)
        if (fault := directive(chunk.text.encode())) is not None:
            yield NotYaml(chunk, chunk.first_line + fault.line - 1, fault.problem, fault.hint or "")
            continue
        try:
            nodes = read_nodes(chunk.text, chunk.first_line)
        except Unreadable as error:
            if (fault := unreadable(chunk.text.encode())) is not None:
                yield NotYaml(chunk, chunk.first_line + fault.line - 1, fault.problem, fault.hint or "")
                continue
            template = certain or likely_template(chunk.text)
            yield _not_rendered(chunk, template) if template is not None else _broken(chunk, error)
            continue
        if certain is not None and not all(map(_holds_templates, nodes.documents)):
            yield _not_rendered(chunk, certain)
            continue
        odd = nodes.oddities
        for node in nodes.documents:
            yield Document(chunk, node, odd)
            odd = ()


def _holds_templates(node: Node) -> bool:
    """Whether a document gives Helm its values, in which templates are ordinary, or is no manifest at all."""
    return node.text("kind") in _GIVES_VALUES or node.text("apiVersion") is None


def _not_rendered(chunk: Chunk, template: Template) -> NotYaml:
    return NotYaml(chunk, chunk.first_line + template.line - 1, template.problem, template=template)


def _broken(chunk: Chunk, error: Unreadable) -> NotYaml:
    at = min(error.line - chunk.first_line, chunk.text.count("\n"))
    hint = error.hint
    if _NEEDS_QUOTES.search(chunk.text.split("\n")[at]) is not None:
        hint = "put the template or the jsonPath in single quotes: '{{ .remoteRef.key }}'"
    return NotYaml(chunk, error.line, error.problem, hint)


def _chunks(name: str, text: str) -> Iterator[Chunk]:
    """The text of each document, from the comments right above its separator on."""
    starts = [match.start() for match in _SEPARATOR.finditer(text)]
    begin = line = 0
    for end in [*starts, len(text)]:
        chunk = text[begin:end]
        head = _without_last_comments(chunk) if end < len(text) else chunk
        if head.strip():
            yield Chunk(name, line + 1, head)
        begin += len(head)
        line += head.count("\n")


def _without_last_comments(chunk: str) -> str:
    """Only comments at the left margin: others may be text of a block scalar."""
    lines = chunk.splitlines(keepends=True)
    while lines and (not lines[-1].strip() or lines[-1].startswith("#")):
        lines.pop()
    return "".join(lines)
