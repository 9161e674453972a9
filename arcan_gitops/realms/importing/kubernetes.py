"""The manifest of a Kubernetes Secret, as kubectl prints it.

Source: k8s.io/api/core/v1 Secret: `data` is base64, `stringData` is text and wins over `data`.
"""

from __future__ import annotations

import base64
from typing import Any

from arcan_gitops.realms.importing.problems import BadImport
from arcan_gitops.realms.place import Place


def is_secret(manifest: dict[str, Any]) -> bool:
    """Whether a mapping is the manifest of a Secret."""
    return manifest.get("apiVersion") == "v1" and manifest.get("kind") == "Secret"


def values_of(manifest: dict[str, Any], source: str, place: Place) -> dict[str, Any]:
    """The values of one Secret, all texts, on their way to `place`. Raises `BadImport`."""
    if not is_secret(manifest):
        raise BadImport(
            f"{source}: is not one Kubernetes Secret (apiVersion: v1, kind: Secret)",
            hint="take one by its name: kubectl get secret NAME --output yaml | " + place.import_clear("-"),
        )
    encoded = _texts(manifest, "data", source)
    texts = {key: _text(key, text, source, place) for key, text in encoded.items()}
    return texts | _texts(manifest, "stringData", source)


def _texts(manifest: dict[str, Any], field: str, source: str) -> dict[str, str]:
    values = manifest.get(field)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise BadImport(f"{source}: '{field}' is not a mapping")
    for key, value in values.items():
        if not isinstance(value, str):
            raise BadImport(
                f"{source}: {field}: key {key!r}: is not a text",
                hint="Kubernetes refuses it too; quote the value",
            )
    return values


def decoded(text: str) -> bytes:
    """The bytes of a value of `data`. The API server reads base64 as Go does: padded, and with line breaks
    inside. Raises `ValueError`.
    """
    return base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True)


def _text(key: str, text: str, source: str, place: Place) -> str:
    try:
        data = decoded(text)
    except ValueError:
        raise BadImport(f"{source}: data: key {key!r}: is not base64") from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadImport(
            f"{source}: data: key {key!r}: is not UTF-8 text, which the server could not send",
            hint=f"store its base64: {place.command('secret set', key, '--stdin')}; ESO decodes it: "
            "decodingStrategy: Base64",
        ) from None
