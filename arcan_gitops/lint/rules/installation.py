"""The ESO that the manifests install: charts, images, and whether its version is pinned and safe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.lint.advisories import ARGO_CD, ESO, advisories_for
from arcan_gitops.lint.findings import Found, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.nodes import Node
from arcan_gitops.lint.objects import Object
from arcan_gitops.lint.rule import Rule
from arcan_gitops.names import InvalidName

_CHART: Final = "external-secrets"
_IMAGE: Final = re.compile(
    r"(?:[^\s@]*/)?external-secrets/external-secrets(?::([^\s@]+))?(?:@sha256:[0-9a-f]{64})?"
)
_ARGO_CD_IMAGE: Final = re.compile(r"(?:[^\s@]*/)?argoproj/argocd:([^\s@]+)(?:@sha256:[0-9a-f]{64})?")
_OCI_CHART: Final = re.compile(r"oci://\S*external-secrets/charts/external-secrets/?")
_FLAVOUR: Final = re.compile(r"-ubi(?:-\w+)?\Z")


@dataclass(frozen=True, slots=True)
class Installed:
    """One place that says which ESO, or Argo CD, is installed; `text` is empty where it says none."""

    object: Object
    node: Node
    text: str
    program: str = ESO

    @property
    def version(self) -> EsoVersion | None:
        """The version, where it is a certain one."""
        try:
            return EsoVersion.parse(_FLAVOUR.sub("", self.text))
        except InvalidName:
            return None


def _installed(manifests: Manifests) -> Iterator[Installed]:
    for obj in manifests.objects:
        for node in obj.root.walk():
            if not node.is_mapping:
                continue
            image = node.text("image")
            if image is not None and (match := _IMAGE.fullmatch(image)):
                yield Installed(obj, node.at("image") or node, match[1] or "")
            elif image is not None and (match := _ARGO_CD_IMAGE.fullmatch(image)):
                yield Installed(obj, node.at("image") or node, match[1], ARGO_CD)
            yield from _charts(obj, node)


def _charts(obj: Object, node: Node) -> Iterator[Installed]:
    """`chart` to Argo CD and Flux, `name` to Kustomize's helmCharts and Chart.yaml, a URL otherwise."""
    if node.text("chart") == _CHART:
        field = "targetRevision" if "targetRevision" in node.fields() or node.at("repoURL") else "version"
    elif node.text("name") == _CHART and (node.text("repo") or node.text("repository") or "").startswith(
        ("https://charts.external-secrets.io", "oci://")
    ):
        field = "version"
    elif _OCI_CHART.fullmatch(node.text("url") or ""):
        tag = node.at("ref", "tag")
        yield Installed(obj, tag or node.at("url") or node, node.text("ref", "tag") or "")
        return
    else:
        return
    said = node.at(field)
    yield Installed(
        obj, said or node, str(said.scalar) if said is not None and said.scalar is not None else ""
    )


def _vulnerable(manifests: Manifests) -> Iterator[Found]:
    for one in _installed(manifests):
        if (version := one.version) is None:
            continue
        for advisory in advisories_for(version, one.program):
            hint = f"{advisory.url}: upgrade to {advisory.fixed_in(version)} or newer"
            yield one.object.found(one.node, advisory.says(version), hint, advisory.severity)
    for advisory in advisories_for(manifests.eso):
        said = advisory.says(manifests.eso).replace(" has ", " (--eso-version) has ", 1)
        hint = f"{advisory.url}: upgrade to {advisory.fixed_in(manifests.eso)} or newer"
        yield Found(None, said, hint, advisory.severity)


def _unpinned(manifests: Manifests) -> Iterator[Found]:
    for one in _installed(manifests):
        if one.program == ESO and one.version is None and "@sha256:" not in (one.node.text() or ""):
            problem = (
                "ESO's version is not pinned: a new release, which may stop serving an API, comes by itself"
            )
            yield one.object.found(one.node, problem, "name one version, as 2.9.0")


RULES = (
    Rule("ARC060", Severity.ERROR, "an ESO or Argo CD with a published vulnerability", _vulnerable),
    Rule("ARC061", Severity.WARNING, "an ESO whose version is not pinned", _unpinned),
)
