"""A repository of Helm charts over HTTPS, on loopback, with a chart that stands for that of ESO.

It has ESO's real CustomResourceDefinitions, and a Deployment of a pod that nobody starts: the operator of the
stories runs beside the cluster.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from arcan_gitops.overlay.argocd.applications import ESO_CHART, ESO_CHART_REPOSITORY
from arcan_gitops.yamlio import emit
from tests.e2e.https_host import HttpsHost, Quiet

CHART_HOST = ESO_CHART_REPOSITORY.removeprefix("https://")
_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: external-secrets}
spec:
  replicas: {{ .Values.replicaCount | default 1 }}
  selector: {matchLabels: {app: external-secrets}}
  template:
    metadata: {labels: {app: external-secrets}}
    spec: {containers: [{name: external-secrets, image: 'registry.example.org/eso:{{ .Chart.Version }}'}]}
"""


class ChartHost(HttpsHost):
    """Has the chart in the given versions, and no other."""

    def __init__(self, folder: Path, address: str, crds: Path, versions: Sequence[str]) -> None:
        files = {f"/{ESO_CHART}-{version}.tgz": _packed(version, crds) for version in versions}
        files["/index.yaml"] = _index(versions).encode()
        super().__init__(folder, CHART_HOST, address, _handler(files))


def _index(versions: Sequence[str]) -> str:
    charts = [
        {
            "apiVersion": "v2",
            "name": ESO_CHART,
            "version": version,
            "urls": [f"{ESO_CHART_REPOSITORY}/{ESO_CHART}-{version}.tgz"],
        }
        for version in versions
    ]
    return emit([{"apiVersion": "v1", "entries": {ESO_CHART: charts}}])


def _packed(version: str, crds: Path) -> bytes:
    files = {
        "Chart.yaml": emit([{"apiVersion": "v2", "name": ESO_CHART, "version": version}]).encode(),
        "values.yaml": b"{}\n",
        "templates/deployment.yaml": _DEPLOYMENT.encode(),
        **{f"crds/{file.name}": file.read_bytes() for file in sorted(crds.glob("*.yaml"))},
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"{ESO_CHART}/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def _handler(files: Mapping[str, bytes]) -> type[Quiet]:
    class Handler(Quiet):
        def do_GET(self) -> None:
            body = files.get(self.path)
            self.answer(404 if body is None else 200, body or b"")

    return Handler
