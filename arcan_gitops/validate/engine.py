"""The seam between validation and what judges a manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

from arcan_gitops.validate.manifests import Manifest
from arcan_gitops.validate.results import Result
from arcan_gitops.validate.schemaset import Schema, SchemaSet


@dataclass(frozen=True, slots=True)
class Case:
    """A manifest, and the schema that it must fit."""

    manifest: Manifest
    schema: Schema

    @classmethod
    def of(cls, manifest: Manifest, schema: Schema) -> Self:
        """As the API server judges it, which first clears the namespace of a cluster-scoped object.

        Source: k8s.io/apiserver pkg/registry/rest BeforeCreate, EnsureObjectNamespaceMatchesRequestNamespace.
        """
        metadata = manifest.body.get("metadata")
        if schema.clears_namespace and isinstance(metadata, Mapping) and "namespace" in metadata:
            cleared = {name: value for name, value in metadata.items() if name != "namespace"}
            manifest = replace(manifest, body={**manifest.body, "metadata": cleared})
        return cls(manifest, schema)


class Engine(Protocol):
    """Judges manifests by schemas at hand, with no network."""

    @property
    def name(self) -> str:
        """As `--engine` names it."""

    def judge(self, cases: Sequence[Case], schemas: SchemaSet) -> list[Result]:
        """One result a case, in order. Raises `ArcanError` where the engine itself fails."""
