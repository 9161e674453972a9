"""One ExternalSecret as an entry of `secrets` in an app's file.

Source: ESO apis/externalsecrets/v1/externalsecret_types.go; v1beta1 has the same fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from arcan_gitops.adopt.imported import Imported, ImportedKey
from arcan_gitops.errors import ArcanError

Entry = dict[str, Any]  # of `secrets` in an app's file

_NEWEST: Final = ("", "latest", "AWSCURRENT", "uuid/")
_REF_FIELDS: Final = frozenset(
    {
        "key",
        "property",
        "version",
        "decodingStrategy",
        "conversionStrategy",
        "metadataPolicy",
        "nullBytePolicy",
    }
)
_TEMPLATE_FIELDS: Final = frozenset({"type", "engineVersion", "mergePolicy", "metadata", "data"})


def declared_by_references(spec: Mapping[str, Any], name: str, imported: Imported) -> Entry:
    """By what it reads: each `remoteRef` becomes the key that the value has now. Raises `ArcanError`."""
    keys: dict[str, ImportedKey] = {}
    decoded: dict[str, str] = {}
    for source in _list(spec, "dataFrom"):
        for one, decoding in _extracted(source, imported):
            keys[str(one.field)] = one
            decoded[str(one.field)] = decoding
    for entry in _list(spec, "data"):
        secret_key = str(entry.get("secretKey"))
        if "sourceRef" in entry:
            raise ArcanError(f"entry '{secret_key}' has a store of its own (sourceRef)")
        ref = _ref(entry.get("remoteRef"), f"entry '{secret_key}'")
        found = imported.single(ref["key"], ref.get("property"))
        if found is None:
            what = f"{ref['key']}#{ref['property']}" if ref.get("property") else ref["key"]
            fields = imported.fields(ref["key"]) if not ref.get("property") else ()
            why = ", which is several keys now: import it in one piece, --whole" if fields else ""
            raise ArcanError(f"entry '{secret_key}' reads {what}, which this run did not import{why}")
        keys[secret_key] = found
        decoded[secret_key] = str(ref.get("decodingStrategy") or "None")
    if not keys:
        raise ArcanError("it reads nothing")
    entries = [_key(as_, one, decoded[as_]) for as_, one in keys.items()]
    return {"name": name, "keys": entries, **_target(spec), **_refresh(spec)}


def declared_by_result(spec: Mapping[str, Any], name: str, imported: Imported) -> Entry:
    """By the Kubernetes Secret that it made, whose values were imported: what it reads and how it puts that
    together no longer matters. Raises `ArcanError`.
    """
    keys = imported.fields(name)
    if not keys:
        raise ArcanError(f"the Secret '{name}' that it makes was not imported")
    target = _mapping(spec, "target")
    kind = _mapping(target, "template").get("type")
    entries = [_key(str(one.field), one, "None") for one in keys]
    made = {"type": kind} if kind and kind != "Opaque" else {}
    return {"name": name, "keys": entries, **made, **_policies(target), **_refresh(spec)}


def _extracted(source: Mapping[str, Any], imported: Imported) -> Iterator[tuple[ImportedKey, str]]:
    for field in ("find", "sourceRef", "rewrite"):
        if source.get(field):
            raise ArcanError(f"dataFrom has '{field}', whose result only ESO knows: declare the keys by hand")
    ref = _ref(source.get("extract"), "dataFrom.extract")
    fields = imported.fields(ref["key"])
    if ref.get("property") or not fields:
        raise ArcanError(f"dataFrom.extract reads {ref['key']}, whose fields this run did not import")
    for one in fields:
        yield one, str(ref.get("decodingStrategy") or "None")


def _ref(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("key"), str):
        raise ArcanError(f"{where} has no remoteRef.key")
    unknown = set(value) - _REF_FIELDS
    if unknown:
        raise ArcanError(f"{where} has '{min(unknown)}', which is not known here")
    if (value.get("version") or "") not in _NEWEST:
        raise ArcanError(f"{where} asks for version {value['version']}, and the newest was imported")
    if value.get("metadataPolicy", "None") != "None":
        raise ArcanError(f"{where} reads metadata, which was not imported")
    return value


def _key(as_: str, one: ImportedKey, decoding: str) -> Any:
    entry: dict[str, str] = {"key": str(one.key)}
    if as_ != one.key:
        entry["as"] = as_
    if decoding != "None":
        entry["decode"] = decoding
    elif one.base64:
        entry["decode"] = "Base64"
    return str(one.key) if len(entry) == 1 else entry


def _target(spec: Mapping[str, Any]) -> Entry:
    target = _mapping(spec, "target")
    template = _mapping(target, "template")
    unknown = set(template) - _TEMPLATE_FIELDS
    if unknown:
        raise ArcanError(f"its template has '{min(unknown)}', which a declaration has not")
    if template.get("engineVersion", "v2") != "v2":
        raise ArcanError("its template is of engine version v1, which ESO no longer has")
    entry: Entry = {}
    kind = template.get("type")
    if kind and kind != "Opaque":
        entry["type"] = kind
    made: Entry = {}
    if template.get("data"):
        made["data"] = template["data"]
        if template.get("mergePolicy", "Replace") != "Replace":
            made["mergePolicy"] = template["mergePolicy"]
    metadata = _mapping(template, "metadata")
    made.update({field: metadata[field] for field in ("labels", "annotations") if metadata.get(field)})
    return {**entry, **({"template": made} if made else {}), **_policies(target)}


def _policies(target: Mapping[str, Any]) -> Entry:
    entry: Entry = {}
    if target.get("creationPolicy", "Owner") != "Owner":
        entry["creationPolicy"] = target["creationPolicy"]
    if target.get("deletionPolicy", "Retain") != "Retain":
        entry["deletionPolicy"] = target["deletionPolicy"]
    if target.get("immutable"):
        entry["immutable"] = True
    return entry


def _refresh(spec: Mapping[str, Any]) -> Entry:
    entry: Entry = {}
    if spec.get("refreshPolicy", "Periodic") != "Periodic":
        entry["refreshPolicy"] = spec["refreshPolicy"]
    interval = str(spec.get("refreshInterval") or "")
    if interval not in ("", "1h", "1h0m0s", "60m", "3600s"):
        entry["refreshInterval"] = interval
    return entry


def _mapping(values: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    found = values.get(field)
    return found if isinstance(found, dict) else {}


def _list(values: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    found = values.get(field)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
