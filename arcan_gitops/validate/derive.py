"""A CustomResourceDefinition, or Kubernetes's OpenAPI definitions -> JSON Schemas that mean one thing.

Both engines must read a schema alike, so it keeps only keywords that both take from JSON Schema draft 4 (the
draft of OpenAPI 3.0, and kubeconform's default); what Kubernetes adds to them is translated or dropped:

- an object takes no fields but its own (`additionalProperties: false`), as kubeconform's openapi2jsonschema
  does for `-strict`, unless it says x-kubernetes-preserve-unknown-fields;
- `nullable`, x-kubernetes-int-or-string and `format: byte` (base64) become types and a pattern;
- CEL rules, list types and the other formats are dropped: they are the API server's to judge;
- `metadata` is ObjectMeta with a required name, and no namespace where the kind is cluster-scoped;
- defaults stay; a field that has one is not required, since the API server fills it in before it validates;
- a version that is not `served` gives no schema.

Source: k8s.io/apiextensions-apiserver pkg/apis/apiextensions/v1/types_jsonschema.go.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, Self

from arcan_gitops.errors import ArcanError
from arcan_gitops.validate.sharing import Schema, map_children, share

# encoding/json decodes []byte by base64.StdEncoding, which skips line ends.
_BASE64: Final = (
    r"^[\r\n]*(([A-Za-z0-9+/][\r\n]*){4})*"
    r"(([A-Za-z0-9+/][\r\n]*){2}=[\r\n]*=[\r\n]*|([A-Za-z0-9+/][\r\n]*){3}=[\r\n]*)?$"
)
_FLAGS: Final = re.compile(r"\A\^(\(\?[a-z]+\))")
_KEPT: Final = frozenset(
    (
        "type",
        "enum",
        "required",
        "default",
        "pattern",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minProperties",
        "maxProperties",
        "properties",
        "items",
        "additionalProperties",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "$ref",
    )
)
_DROPPED: Final = frozenset(("description", "title", "example", "externalDocs", "format", "nullable"))
_JUNCTORS: Final = frozenset(("anyOf", "oneOf", "allOf", "not"))
_INT_OR_STRING: Final = [{"type": "integer"}, {"type": "string"}]

_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
# Definitions whose JSON is not what their OpenAPI type says.
_SPECIAL: Final[dict[str, Schema]] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["number", "string"]},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["integer", "string"]},
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": {"type": ["string", "null"]},  # kubectl writes null
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": {"type": ["string", "null"]},
}
# OpenAPI definitions do not say which kinds are cluster-scoped.
_CLUSTER_SCOPED: Final = frozenset(
    (
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterTrustBundle",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "IPAddress",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "ServiceCIDR",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    )
)
_GROUP: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", re.ASCII)
_VERSION: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_KIND: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}", re.ASCII)


class CannotDerive(ArcanError):
    """Something that is no CustomResourceDefinition, or has a keyword whose meaning is not known here."""


def is_plain(group: str, version: str, kind: str) -> bool:
    """Whether the three are of Kubernetes's grammar, and so safe as parts of a path."""
    return bool(
        (not group or _GROUP.fullmatch(group)) and _VERSION.fullmatch(version) and _KIND.fullmatch(kind)
    )


def schema_path(group: str, version: str, kind: str) -> PurePosixPath:
    """Where a schema lies in its folder: `external-secrets.io/secretstore_v1.json`.

    kubeconform's template `{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json`, to which the
    group of a core kind is its version: `v1/secret_v1.json`.
    """
    return PurePosixPath(group or version) / f"{kind.lower()}_{version}.json"


@dataclass(frozen=True, slots=True)
class Derived:
    """The schema of one kind in one version of its API."""

    group: str
    version: str
    kind: str
    body: Schema

    @property
    def path(self) -> PurePosixPath:
        """Relative to the folder that the schemas are kept in."""
        return schema_path(self.group, self.version, self.kind)

    def text(self) -> bytes:
        """The file: one line of JSON, the same for the same schema."""
        return (json.dumps(self.body, separators=(",", ":"), sort_keys=True) + "\n").encode()


@dataclass(frozen=True, slots=True)
class ObjectMeta:
    """The schema of a namespaced kind's `metadata`, and the definitions that it refers to."""

    schema: Schema
    definitions: Schema

    @classmethod
    def from_openapi(cls, document: Mapping[str, Any]) -> Self:
        """Out of Kubernetes's OpenAPI definitions. Raises `CannotDerive` where they lack it."""
        definitions = _definitions(document)
        if _META not in definitions:
            raise CannotDerive(f"the OpenAPI definitions lack {_META}")
        closure = _closure(definitions[_META], definitions)
        return cls(definitions[_META] | {"required": ["name"]}, closure)

    @classmethod
    def from_schema(cls, body: Mapping[str, Any]) -> Self:
        """Out of the derived schema of a built-in namespaced kind."""
        return cls(body["properties"]["metadata"], body["definitions"])

    def scoped(self, *, cluster: bool) -> Schema:
        """For a cluster-scoped kind without `namespace`."""
        if not cluster:
            return self.schema
        properties = {k: v for k, v in self.schema["properties"].items() if k != "namespace"}
        return self.schema | {"properties": properties}


def derive_openapi(document: Mapping[str, Any]) -> Iterator[Derived]:
    """A schema for every kind of an OpenAPI document: a definition with x-kubernetes-group-version-kind, and
    with ObjectMeta.

    Raises `CannotDerive`.
    """
    meta = ObjectMeta.from_openapi(document)
    definitions = _definitions(document)
    for name, source in document["definitions"].items():
        if not _has_object_meta(source):
            continue  # a list, or an argument of the API such as DeleteOptions
        for gvk in source.get("x-kubernetes-group-version-kind", ()):
            body = definitions[name]
            # its own metadata goes before the closure is taken, which may need ObjectMeta or not
            properties = {k: v for k, v in body["properties"].items() if k != "metadata"}
            closure = _closure(body | {"properties": properties}, definitions)
            derived = _kind(
                gvk["group"], gvk["version"], gvk["kind"], body, meta, cluster=gvk["kind"] in _CLUSTER_SCOPED
            )
            yield _with_definitions(derived, closure | meta.definitions)


def _has_object_meta(definition: Mapping[str, Any]) -> bool:
    metadata = (definition.get("properties") or {}).get("metadata") or {}
    references = [metadata, *metadata.get("allOf", ())]
    return any(reference.get("$ref") == f"#/definitions/{_META}" for reference in references)


def derive_crd(crd: Mapping[str, Any], meta: ObjectMeta) -> Iterator[Derived]:
    """A schema for every served version of a CustomResourceDefinition. Raises `CannotDerive`."""
    if crd.get("kind") != "CustomResourceDefinition":
        raise CannotDerive("not a CustomResourceDefinition")
    if crd.get("apiVersion") != "apiextensions.k8s.io/v1":
        raise CannotDerive(
            "a CustomResourceDefinition must be of apiextensions.k8s.io/v1", hint="convert it, then add it"
        )
    try:
        spec = crd["spec"]
        group, kind, cluster = spec["group"], spec["names"]["kind"], spec["scope"] == "Cluster"
        served = [
            (version["name"], version["schema"]["openAPIV3Schema"])
            for version in spec["versions"]
            if version["served"]
        ]
        wrong = [name for name, _ in served if not is_plain(group, name, kind)]
        if wrong or not group:
            raise CannotDerive(f"a group, version or kind that Kubernetes does not allow, in {crd_name(crd)}")
        for version, schema in served:
            where = f"{group}/{version} {kind}"
            body = _translate(schema, where, structural=True)
            derived = _kind(group, version, kind, body, meta, cluster=cluster)
            shared = share(_with_definitions(derived, meta.definitions).body)
            yield Derived(group, version, kind, shared)
    except (AttributeError, KeyError, TypeError):
        raise CannotDerive(f"{crd_name(crd)}: not a whole CustomResourceDefinition") from None


def crd_name(crd: Mapping[str, Any]) -> str:
    """`metadata.name`, as far as there is one."""
    metadata = crd.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else "a CustomResourceDefinition without a name"


def _kind(group: str, version: str, kind: str, body: Schema, meta: ObjectMeta, *, cluster: bool) -> Derived:
    api_version = f"{group}/{version}" if group else version
    properties = dict(body.get("properties", {}))
    properties["apiVersion"] = {"type": "string", "enum": [api_version]}
    properties["kind"] = {"type": "string", "enum": [kind]}
    properties["metadata"] = meta.scoped(cluster=cluster)
    required = sorted({*body.get("required", ()), "apiVersion", "kind", "metadata"})
    top: Schema = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "x-kubernetes-group-version-kind": [{"group": group, "kind": kind, "version": version}],
    }
    return Derived(group, version, kind, top | body | {"properties": properties, "required": required})


def _with_definitions(derived: Derived, definitions: Schema) -> Derived:
    body = derived.body | {"definitions": definitions}
    return Derived(derived.group, derived.version, derived.kind, body)


def _definitions(document: Mapping[str, Any]) -> Schema:
    return {
        name: _SPECIAL.get(name) or _translate(source, name, structural="properties" in source)
        for name, source in document["definitions"].items()
    }


def _closure(schema: Schema, definitions: Schema) -> Schema:
    """The definitions that `schema` refers to, and those that they refer to."""
    found: set[str] = set()

    def visit(node: Schema) -> Schema:
        name = node.get("$ref", "").removeprefix("#/definitions/")
        if name and name not in found:
            found.add(name)
            visit(definitions[name])
        return map_children(node, visit)

    visit(schema)
    return {name: definitions[name] for name in sorted(found)}


def _translate(node: Mapping[str, Any], where: str, *, structural: bool) -> Schema:
    """One schema. Inside anyOf, oneOf, allOf and not a CRD only narrows values: no object is closed there."""
    for keyword in node:
        if keyword not in _KEPT and keyword not in _DROPPED and not keyword.startswith("x-"):
            raise CannotDerive(f"{where}: the schema keyword '{keyword}' is not known")
    result: Schema = {}
    for keyword in (keyword for keyword in node if keyword in _KEPT):
        inner = functools.partial(_translate, where=where, structural=structural and keyword not in _JUNCTORS)
        result |= map_children({keyword: node[keyword]}, inner)
    if structural:
        result = _without_defaulted(result)
    if "pattern" in result:  # Go takes flags anywhere, JSON Schema's checkers only in front
        result["pattern"] = _FLAGS.sub(r"\1^", result["pattern"])
    if node.get("format") == "byte":
        result["format"] = "byte"  # ignored by both engines; `explain` words its message by it
        result.setdefault("pattern", _BASE64)
    if node.get("x-kubernetes-int-or-string"):
        result.setdefault("type", ["integer", "string"])
        if result.get("anyOf") == _INT_OR_STRING:
            del result["anyOf"]
    if node.get("x-kubernetes-embedded-resource") and "properties" in result:
        own = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
        result["properties"] = own | result["properties"]
    if node.get("nullable") and "type" in result:
        types = result["type"] if isinstance(result["type"], list) else [result["type"]]
        result["type"] = [*types, "null"]
        if "enum" in result and None not in result["enum"]:
            result["enum"] = [*result["enum"], None]
    closed = structural and result.get("type") in ("object", ["object", "null"])
    if closed and not node.get("x-kubernetes-preserve-unknown-fields"):
        result.setdefault("additionalProperties", False)
    return result


def _without_defaulted(schema: Schema) -> Schema:
    """The schema, which no longer requires the fields that have a default."""
    fields = schema.get("properties", {})
    required = [name for name in schema.get("required", ()) if "default" not in fields.get(name, {})]
    others = {keyword: value for keyword, value in schema.items() if keyword != "required"}
    return others | {"required": required} if required else others  # draft 4 allows no empty list
