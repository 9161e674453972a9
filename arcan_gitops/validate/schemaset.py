"""Which kinds are known for one ESO version: folders of JSON Schemas, in the layout that kubeconform takes.

`schemas/` beside this module holds `<project>/<version>/<group>/<kind>_<version>.json`, derived from the
projects' CRDs by scripts/derive_schemas.py; a person's own folder holds `<group>/<kind>_<version>.json`, and
`external-secrets/<version>/<group>/<kind>_<version>.json` for the versions of ESO that were added.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.regexp import compile_pattern
from arcan_gitops.names import nearest
from arcan_gitops.validate.derive import ObjectMeta, is_plain, schema_path

KEPT: Final = Path(__file__).resolve().parent / "schemas"
ESO: Final = "external-secrets"
ADD_ESO: Final = "kubectl get crds -o yaml | arcan schemas add --eso-version {version} -"
_ESO_DOMAIN: Final = "external-secrets.io"


class BrokenSchema(ArcanError):
    """A schema file that no engine can use."""


class NoSuchKind(ArcanError):
    """No schema for an apiVersion and kind: the message says which kinds, or versions, there are."""


class NoSchemasOfVersion(ArcanError):
    """A version of ESO that is neither kept with the package nor was added."""


@dataclass(frozen=True, slots=True)
class Known:
    """A kind that has a schema; `kind` is lower case where a foreign schema does not say its case."""

    api_version: str
    kind: str


class Schema:
    """One schema file, read and found usable: local references only, and every pattern is RE2's."""

    def __init__(self, path: Path) -> None:
        """Raises `BrokenSchema`."""
        self.path = path
        try:
            body = json.loads(path.read_bytes())
        except (OSError, ValueError):
            raise BrokenSchema(f"{path}: not readable as JSON") from None
        if not isinstance(body, dict):
            raise BrokenSchema(f"{path}: must be a JSON object")
        self.body: dict[str, Any] = body
        _check(body, path)

    @property
    def known(self) -> Known:
        """What the schema is for."""
        gvk = self.body.get("x-kubernetes-group-version-kind")
        if gvk:
            group, version, kind = gvk[0]["group"], gvk[0]["version"], gvk[0]["kind"]
        else:
            kind, _, version = self.path.stem.rpartition("_")
            group = self.path.parent.name if self.path.parent.name != version else ""
        return Known(f"{group}/{version}" if group else version, kind)

    @property
    def clears_namespace(self) -> bool:
        """Whether it is of a cluster-scoped kind, as far as it says so."""
        metadata = self.body.get("properties", {}).get("metadata", {})
        closed = metadata.get("additionalProperties") is False
        return closed and "namespace" not in metadata.get("properties", {})


def _check(node: Any, path: Path) -> None:
    """An engine must never fetch a schema from elsewhere, nor fail on a pattern in the middle of a run."""
    if isinstance(node, list):
        for child in node:
            _check(child, path)
    elif isinstance(node, dict):
        reference, pattern = node.get("$ref"), node.get("pattern")
        if isinstance(reference, str) and not reference.startswith("#"):
            raise BrokenSchema(
                f"{path}: refers to another file or address",
                hint="only references inside the schema are followed: use 'arcan schemas add CRD.yaml'",
            )
        if isinstance(pattern, str):
            try:
                compile_pattern(pattern)
            except GoError:
                raise BrokenSchema(f"{path}: has a pattern that is not of RE2's syntax") from None
        for child in node.values():
            _check(child, path)


class SchemaSet:
    """The schemas for one ESO version; `roots` in order of precedence, the person's own folder first."""

    def __init__(self, eso_version: str, extra: Path | None = None) -> None:
        others = (
            _newest(project) for project in sorted(KEPT.iterdir()) if project.is_dir() and project.name != ESO
        )
        self.eso_version = eso_version
        self.known_up_to = eso_versions(extra)[-1]
        kept = KEPT / ESO / eso_version
        self.roots: tuple[Path, ...] = (
            kept if extra is None or kept.is_dir() else extra.resolve() / ESO / eso_version,
            *others,
            *((extra.resolve(),) if extra is not None else ()),
        )
        self._found: dict[Path, Schema] = {}

    def find(self, api_version: str, kind: str) -> Schema:
        """The schema of a kind. Raises `NoSuchKind` or `BrokenSchema`."""
        group, _, version = api_version.rpartition("/")
        if is_plain(group, version, kind):
            for root in self.roots:
                schema = self._load(root / schema_path(group, version, kind))
                # kubeconform's file names are lower case, Kubernetes's kinds are not
                if schema is not None and schema.known.kind in (kind, kind.lower()):
                    return schema
        raise self._no_such_kind(group, version, kind)

    def _load(self, path: Path) -> Schema | None:
        if path not in self._found:
            if not path.is_file():
                return None
            self._found[path] = Schema(path)
        return self._found[path]

    def _no_such_kind(self, group: str, version: str, kind: str) -> NoSuchKind:
        if not is_plain(group, version, kind):
            return NoSuchKind("no such kind: Kubernetes allows no such apiVersion or kind")
        in_group = [entry for entry in self.kinds if entry.api_version.rpartition("/")[0] == group]
        kinds = sorted({entry.kind for entry in in_group})
        served = sorted({entry.api_version for entry in in_group if entry.kind == kind})
        if is_esos(group):
            return NoSuchKind(self._not_in_eso(group, version, kind, kinds, served))
        if served:
            known = f"; there is one for {', '.join(served)}"
        elif in_group:
            known = _did_you_mean(kind, kinds)
        else:
            known = _did_you_mean(group, {entry.api_version.rpartition("/")[0] for entry in self.kinds})
        api_version = f"{group}/{version}" if group else version
        add = f" If not, {_how_to_add(group)}" if known.endswith("?") else f"; {_how_to_add(group)}"
        return NoSuchKind(f"no schema for {api_version} {kind}{known}{add}")

    def _not_in_eso(
        self, group: str, version: str, kind: str, kinds: Sequence[str], served: Sequence[str]
    ) -> str:
        """All kinds of a version of ESO are known: one that is not among them does not exist there."""
        what = f"{group}/{version} {kind}"
        path = schema_path(group, version, kind)
        if elsewhere := [eso for eso in eso_versions() if (KEPT / ESO / eso / path).is_file()]:
            instead = f": write {', '.join(served)}" if served else ""
            others = ", ".join(elsewhere)
            return f"{what} is not served by this ESO version, but by {others}{instead}"
        if served:
            return f"no such version of {kind}: there is {', '.join(served)}"
        among = _did_you_mean(kind, kinds) or (f": {group} has {', '.join(kinds)}" if kinds else "")
        newer = "; if a newer version has it: " + ADD_ESO.format(version="VERSION")
        return f"no such kind in this ESO version{among}" + (
            newer if self.eso_version == self.known_up_to else ""
        )

    @cached_property
    def kinds(self) -> tuple[Known, ...]:
        """Every kind that has a schema here, sorted. Raises `BrokenSchema`."""
        found = {schema.known for root in self.roots for schema in read_schemas(root)}
        return tuple(sorted(found, key=lambda known: (known.api_version, known.kind)))


def read_schemas(root: Path) -> Iterator[Schema]:
    """Every schema under a folder of the layout, by path. Raises `BrokenSchema`."""
    return (Schema(path) for path in sorted(root.glob("*/*_*.json")))


def kept_sets() -> tuple[tuple[str, str], ...]:
    """(project, version) of every set that comes with the package."""
    return tuple((p.parent.name, p.name) for p in sorted(KEPT.glob("*/*"), key=_order) if p.is_dir())


def eso_versions(extra: Path | None = None) -> tuple[str, ...]:
    """The ESO versions that have schemas, in the package or in a person's own folder, the newest last."""
    folders = [KEPT / ESO / version for project, version in kept_sets() if project == ESO]
    if extra is not None and (extra / ESO).is_dir():
        names = {folder.name for folder in folders}
        folders += [own for own in (extra / ESO).glob("v*.*.*") if own.is_dir() and own.name not in names]
    return tuple(sorted((folder.name for folder in folders), key=order))


def eso_version_for(wanted: EsoVersion, extra: Path | None) -> str:
    """The version whose schemas judge manifests for `wanted`: that one, else the newest of its minor.

    Raises `NoSchemasOfVersion`.
    """
    have = eso_versions(extra)
    if f"v{wanted}" in have:
        return f"v{wanted}"
    same_minor = [name for name in have if name.startswith(f"v{wanted.major}.{wanted.minor}.")]
    if not same_minor:
        raise NoSchemasOfVersion(
            f"no schemas of ESO {wanted}: there are {', '.join(have)}",
            hint=f"from a cluster that runs it: {ADD_ESO.format(version=wanted)}",
        )
    return same_minor[-1]


def is_esos(group: str) -> bool:
    """Whether an API group is one of ESO's: `generators.external-secrets.io`."""
    return group == _ESO_DOMAIN or group.endswith(f".{_ESO_DOMAIN}")


def _did_you_mean(name: str, known: Collection[str]) -> str:
    near = nearest(name, known)
    return f"; did you mean '{near}'?" if near else ""


def _how_to_add(group: str) -> str:
    """A command that works: the built-in kinds have no CRD."""
    if "." not in group or group.endswith(".k8s.io"):
        return "add the cluster's own: kubectl get --raw /openapi/v2 | arcan schemas add -"
    return "add its CRD: arcan schemas add CRD.yaml, or kubectl get crds -o yaml | arcan schemas add -"


def object_meta() -> ObjectMeta:
    """The schema of `metadata` that comes with the package, for the kinds that are added to it."""
    core = _newest(KEPT / "kubernetes")
    return ObjectMeta.from_schema(Schema(core / schema_path("", "v1", "ConfigMap")).body)


def schema_sets(versions: Sequence[str], extra: Path | None) -> tuple[SchemaSet, ...]:
    """The schemas for each of the ESO versions, with a person's own folder after them."""
    return tuple(SchemaSet(version, extra) for version in versions)


def _newest(project: Path) -> Path:
    return max((path for path in project.iterdir() if path.is_dir()), key=_order)


def _order(path: Path) -> tuple[str, list[int]]:
    return path.parent.name, order(path.name)


def order(version: str) -> list[int]:
    """What puts versions (`v2.9.0`) in order."""
    return [int(part) for part in version.removeprefix("v").split(".") if part.isdigit()]
