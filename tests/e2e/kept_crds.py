"""CustomResourceDefinitions out of the JSON Schemas that the project keeps: the way back.

They have the kinds, fields and defaults of the real ones, and none of their rules: enough to see what an API
server makes of a manifest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from arcan_gitops.validate.schemaset import KEPT, Schema
from tests.e2e.api_server import ApiServer

ESO = "external-secrets"
_COPIED = ("enum", "pattern", "default", "required", "minLength", "maxLength", "minimum", "maximum")
_ANYTHING: dict[str, Any] = {"x-kubernetes-preserve-unknown-fields": True}
_DEEPEST = 40  # a schema that refers to itself stops here


def crds_of(project: str, version: str) -> Iterator[dict[str, Any]]:
    """A CRD for each kind that is kept of a project at a version."""
    found: dict[tuple[str, str], dict[str, Schema]] = {}
    for file in sorted((KEPT / project / version).rglob("*.json")):
        schema = Schema(file)
        group, number = schema.known.api_version.split("/")
        found.setdefault((group, schema.known.kind), {})[number] = schema
    for (group, kind), schemas in found.items():
        yield _crd(group, kind, schemas)


def _crd(group: str, kind: str, schemas: Mapping[str, Schema]) -> dict[str, Any]:
    singular = kind.lower()
    plural = f"{singular[:-1]}ies" if singular.endswith("y") else f"{singular}s"
    newest = min(schemas, key=len)  # v1 before v1beta1
    versions = [
        {
            "name": number,
            "served": True,
            "storage": number == newest,
            "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": _root(schema.body)},
        }
        for number, schema in schemas.items()
    ]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": singular},
            "scope": "Namespaced" if _is_namespaced(schemas[newest].body) else "Cluster",
            "versions": versions,
        },
    }


def _is_namespaced(body: Mapping[str, Any]) -> bool:
    return "namespace" in _resolved(body["properties"]["metadata"], body).get("properties", {})


def _root(body: Mapping[str, Any]) -> dict[str, Any]:
    schema = _structural({**body, "properties": {**body["properties"], "metadata": {"type": "object"}}}, body)
    schema["properties"]["metadata"] = {"type": "object"}
    return schema


def _resolved(node: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        target: Any = root
        for step in node["$ref"].split("/")[1:]:
            target = target[step]
        node = target
    return node


def _structural(node: Mapping[str, Any], root: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """A schema as `apiextensions.k8s.io/v1` wants it: no references, one type each."""
    node = _resolved(node, root)
    kind = node.get("type")
    if depth > _DEEPEST or kind is None:
        return dict(_ANYTHING)
    made = {name: node[name] for name in _COPIED if name in node}
    if isinstance(kind, list):
        kinds = [each for each in kind if each != "null"]
        made |= {"nullable": True} if "null" in kind else {}
        if len(kinds) != 1:
            return {**made, "x-kubernetes-int-or-string": True}
        kind = kinds[0]
    made["type"] = kind
    if kind == "array":
        made["items"] = _structural(node.get("items", {}), root, depth + 1)
    elif kind == "object" and "properties" in node:
        fields = node["properties"].items()
        made["properties"] = {name: _structural(field, root, depth + 1) for name, field in fields}
    elif kind == "object" and isinstance(node.get("additionalProperties"), dict):
        made["additionalProperties"] = _structural(node["additionalProperties"], root, depth + 1)
    elif kind == "object":
        made |= _ANYTHING
    return made


def install_kept_crds(api: ApiServer, folder: Path, project: str, version: str) -> None:
    """The CRDs of a project, in an API server."""
    file = folder / f"{project}-{version}.json"
    crds = {"apiVersion": "v1", "kind": "List", "items": list(crds_of(project, version))}
    file.write_text(json.dumps(crds))
    api.install_crds([file])


def install_missing_crds(api: ApiServer, folder: Path, *paths: Path) -> None:
    """Those of the other projects whose kinds are in the manifests and not yet in the API server."""
    groups = {item["apiVersion"].rpartition("/")[0] for item in api.manifests_of(*paths)}
    for path in sorted(KEPT.glob("*/*/*")):
        if path.name in groups and api.get(f"/apis/{path.name}") is None:
            install_kept_crds(api, folder, path.parent.parent.name, path.parent.name)
