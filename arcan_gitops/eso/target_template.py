"""`target.template`: texts, ConfigMaps and Secrets that make keys, labels and annotations of the Secret.

Source: pkg/controllers/templating/parser.go, runtime/template/v2 template.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.eso.cluster import Cluster
from arcan_gitops.eso.errors import EsoError, NotSupported
from arcan_gitops.eso.keys import decode
from arcan_gitops.eso.objects import TargetTemplate, TemplateSource
from arcan_gitops.golang import template
from arcan_gitops.golang.errors import GoError
from arcan_gitops.yamlio import read_documents

# data, labels, annotations: what a template makes, each by name
Made = Mapping[str, dict[str, bytes]]
PARTS: Final = ("data", "labels", "annotations")


def made_of(made: TargetTemplate, values: Mapping[str, bytes], namespace: str, cluster: Cluster) -> Made:
    """What the template makes of the values. Raises `EsoError` and `NotSupported`."""
    data = {key: value.decode("utf-8", "surrogateescape") for key, value in values.items()}
    parts: dict[str, dict[str, bytes]] = {part: {} for part in PARTS}
    try:
        for source in made.sources:
            for key, value in _of_source(source, data, namespace, cluster):
                parts[source.target.lower()][key] = value
    except GoError as error:
        raise EsoError(f"error fetching templateFrom data: {error}") from None
    for part, texts in zip(PARTS, (made.data, made.labels, made.annotations), strict=True):
        for key, text in sorted(texts.items()):
            try:
                parts[part][key] = _rendered(key, text, data)
            except GoError as error:
                prefix = "could not execute template: could not execute template"
                raise EsoError(f"{prefix}: {error}") from None
    return parts


def _rendered(key: str, text: str, data: Mapping[str, str]) -> bytes:
    """A text over all values; a key that is not there is an error (missingkey=error)."""
    try:
        tree = template.parse(text, name=key)
    except GoError as error:
        problem = f"unable to parse template at key {key}: {error}"
        raise EsoError(f"unable to execute template at key {key}: {problem}") from None
    try:
        return template.render(tree, data, missing_key_is_error=True).encode("utf-8", "surrogateescape")
    except GoError as error:
        problem = f"unable to execute template at key {key}: {error}"
        raise EsoError(f"unable to execute template at key {key}: {problem}") from None


def _of_source(
    source: TemplateSource, data: Mapping[str, str], namespace: str, cluster: Cluster
) -> Iterator[tuple[str, bytes]]:
    if source.literal is not None:
        yield from _keys_and_values(source.literal, source.literal, source, data)
    for key, whole in source.items:
        text = _text(source, key, namespace, cluster)
        if whole:
            # ESO names the text itself in errors; a Secret's is not for everybody to read
            shown = "[redacted]" if source.kind == "Secret" else text
            yield from _keys_and_values(text, shown, source, data)
        else:
            yield key, _decoded(key, _rendered(key, text, data), source)


def _text(source: TemplateSource, key: str, namespace: str, cluster: Cluster) -> str:
    if source.kind == "ConfigMap":
        found = cluster.config_map(namespace, source.name).data
        if key not in found:
            raise EsoError(f"error in configmap {source.name}: missing key {key}")
        return found[key]
    secret = cluster.secret(namespace, source.name).data
    if key not in secret:
        raise EsoError(f"error in secret {source.name}: missing key {key}")
    return secret[key].decode("utf-8", "surrogateescape")


def _keys_and_values(
    text: str, shown: str, source: TemplateSource, data: Mapping[str, str]
) -> Iterator[tuple[str, bytes]]:
    """The keys and values of the YAML that the text renders to."""
    rendered = _rendered(shown, text, data)
    try:
        documents = read_documents(rendered, "templateFrom") if rendered.strip() else []
    except ArcanError:
        raise NotSupported("templateFrom whose text does not render to plain YAML") from None
    document = documents[0] if documents else {}
    if document is None:
        return
    if not isinstance(document, Mapping):
        raise EsoError(_unmarshal(document, "map[string]string"))
    for key, value in sorted(document.items()):
        if value is not None and not isinstance(value, str):
            raise EsoError(_unmarshal(value, "string"))
        written = (value or "").encode("utf-8", "surrogateescape")
        yield str(key), _decoded(str(key), written, source)


def _unmarshal(value: object, wanted: str) -> str:
    kinds = ((bool, "bool"), (int, "number"), (float, "number"), (str, "string"), (list, "array"))
    kind = next((name for known, name in kinds if isinstance(value, known)), "object")
    return (
        "could not unmarshal template to 'map[string][]byte': error unmarshaling JSON: while decoding JSON: "
        f"json: cannot unmarshal {kind} into Go value of type {wanted}"
    )


def _decoded(key: str, value: bytes, source: TemplateSource) -> bytes:
    try:
        return decode(value, source.decoding)
    except GoError as error:
        raise EsoError(f"failed to decode rendered template value for key {key}: {error}") from None
