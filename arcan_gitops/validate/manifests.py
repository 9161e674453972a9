"""Bytes -> manifests, or error results for what cannot be one; both engines are given what is read here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from arcan_gitops.errors import printable
from arcan_gitops.validate.results import Result, Status
from arcan_gitops.yamlio import InvalidFile, read_objects

# Booleans to kubectl (sigs.k8s.io/yaml goyaml.v2 resolve.go, YAML 1.1), texts to Kustomize (go-yaml v3).
_TWO_MEANINGS: Final = frozenset(
    ("y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF")
)

_TWIN: Final = "given twice: the same kind, namespace and name as one above"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One Kubernetes object; `name` and `namespace` are empty where it has none."""

    source: str
    api_version: str
    kind: str
    name: str
    namespace: str
    body: Mapping[str, Any]

    def result(self, status: Status, message: str = "") -> Result:
        """A result that names this manifest."""
        return Result(self.source, shown(self.kind), shown(self.name), shown(self.namespace), status, message)


def read_manifests(data: bytes, source: str) -> list[Manifest | Result]:
    """The manifests of a YAML or JSON stream, the items of a `List` in its place.

    What is not a manifest becomes an ERROR result there: the whole stream where it is not readable (duplicate
    keys, a plain `yes` or `off`), else the one document (not a mapping, no kind, given twice).
    """
    try:
        documents = read_objects(data, source)
    except InvalidFile as error:
        place = error.message.removeprefix(f"{printable(source)}:").strip()
        number, colon, problem = place.partition(": ")
        where = f"line {number}: {problem}" if colon and number.isdigit() else place
        hint = f" ({error.hint})" if error.hint else ""
        return [Result(source, "", "", "", Status.ERROR, where + hint)]
    line = _two_meanings(data)
    if line is not None:
        problem = (
            f"line {line}: an unquoted word that is a boolean to kubectl and a text to Kustomize (quote it)"
        )
        return [Result(source, "", "", "", Status.ERROR, problem)]
    return _without_twins([_manifest(*item, source) for item in _objects(documents)])


def _two_meanings(data: bytes) -> int | None:
    """The line of the first plain scalar that kubectl and Kustomize read differently."""
    parser = CParser(data)
    while not isinstance(event := parser.get_event(), yaml.StreamEndEvent):
        if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and event.value in _TWO_MEANINGS:
            return _line(event)
    return None


def _line(event: Any) -> int:
    line: int = event.start_mark.line + 1
    return line


def _objects(documents: Sequence[Any]) -> Iterator[tuple[Any, str]]:
    for number, document in enumerate(documents, start=1):
        where = f"document {number}"
        if (
            isinstance(document, dict)
            and document.get("kind") == "List"
            and document.get("apiVersion") == "v1"
        ):
            items = document.get("items")
            if isinstance(items, list):
                for position, item in enumerate(items):
                    yield item, f"{where}, items[{position}]"
                continue
        yield document, where


def _manifest(body: Any, where: str, source: str) -> Manifest | Result:
    if not isinstance(body, dict):
        return Result(source, "", "", "", Status.ERROR, f"{where}: not a mapping")
    metadata = body.get("metadata")
    name, namespace = (
        value if isinstance(metadata, dict) and isinstance(value := metadata.get(field), str) else ""
        for field in ("name", "namespace")
    )
    kind, api_version = body.get("kind"), body.get("apiVersion")
    for field, value in (("apiVersion", api_version), ("kind", kind)):
        if not isinstance(value, str) or not value:
            problem = f"'{field}' must be a text" if field in body else f"'{field}' is missing"
            known = kind if isinstance(kind, str) else ""
            return Result(
                source, shown(known), shown(name), shown(namespace), Status.ERROR, f"{where}: {problem}"
            )
    return Manifest(source, str(api_version), str(kind), name, namespace, body)


def _without_twins(items: list[Manifest | Result]) -> list[Manifest | Result]:
    """An object that the stream has already is an error, as it is to Kustomize and to Argo CD."""
    seen: set[tuple[str, str, str, str]] = set()
    result: list[Manifest | Result] = []
    for item in items:
        if isinstance(item, Result) or not item.name:
            result.append(item)
            continue
        identity = (item.api_version.rpartition("/")[0], item.kind, item.namespace, item.name)
        twin = identity in seen
        seen.add(identity)
        result.append(item.result(Status.ERROR, _TWIN) if twin else item)
    return result


def shown(text: str) -> str:
    """`text` as it may be printed: no control characters, and no more of it than a name can be long."""
    kept = "".join(character if character.isprintable() else "?" for character in text)
    return kept if len(kept) <= 253 else kept[:250] + "..."
