"""A ClusterExternalSecret, taken apart: the ExternalSecret that ESO makes of it in each of its namespaces.

Source: apis/externalsecrets/v1/clusterexternalsecret_types.go and clusterexternalsecret_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from arcan_gitops.eso.conditions import NAME_LABEL, selects
from arcan_gitops.eso.errors import NotSupported
from arcan_gitops.eso.fields import ObjectFields
from arcan_gitops.eso.objects import LabelSelector
from arcan_gitops.eso.stores import read_selector

KIND: Final = "ClusterExternalSecret"


def spread(source: str, document: Mapping[str, Any], known: Mapping[str, Mapping[str, str]]) -> Iterator[Any]:
    """The ExternalSecrets, as documents, one for each namespace that is selected.

    `known` are the labels of the namespaces whose manifests are given, by name; a namespace that a selector
    names by its name need not be among them. Raises `ArcanError`, and `NotSupported` where no namespace
    is found.
    """
    top = ObjectFields(source, "", document)
    name = top.required("metadata").text("name")
    where = f"{source}: {KIND} {name}"
    spec = ObjectFields(where, "", document).required("spec")
    metadata = spec.mapping("externalSecretMetadata")
    labels = {} if metadata is None else metadata.text_map("labels")
    annotations = {} if metadata is None else metadata.text_map("annotations")
    selectors = [read_selector(item) for item in spec.mappings("namespaceSelectors")]
    if (selector := spec.mapping("namespaceSelector")) is not None:
        selectors.append(read_selector(selector))
    made = spec.text("externalSecretName", name)
    named = spec.texts("namespaces")
    spec.required("externalSecretSpec")
    spec.ignore("refreshTime")
    spec.done()
    namespaces = {*named, *_selected(selectors, known)}
    if not namespaces:
        raise NotSupported(
            f"{where}: its namespaces are not known", hint="give the manifests of the Namespaces as well"
        )
    for namespace in sorted(namespaces):
        yield {
            "apiVersion": top.text("apiVersion"),
            "kind": "ExternalSecret",
            "metadata": {"name": made, "namespace": namespace, "labels": labels, "annotations": annotations},
            "spec": document["spec"]["externalSecretSpec"],
        }


def _selected(selectors: Sequence[LabelSelector], known: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for selector in selectors:
        candidates: dict[str, Mapping[str, str]] = {name: {} for name in _names(selector)} | dict(known)
        for name, labels in candidates.items():
            if selects(selector, {**labels, NAME_LABEL: name}):
                yield name


def _names(selector: LabelSelector) -> Iterator[str]:
    """The namespaces that a selector names."""
    if NAME_LABEL in selector.labels:
        yield selector.labels[NAME_LABEL]
    for requirement in selector.expressions:
        if requirement.key == NAME_LABEL and requirement.operator == "In":
            yield from requirement.values
