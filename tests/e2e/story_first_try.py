"""deploy/kubernetes/eso/: what somebody fills in and applies who wants to see one Secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.conftest import NewTeam
from tests.e2e.platform_team import ENVIRONMENT, REALM
from tests.e2e.programs import ROOT

MANIFESTS = ROOT / "deploy" / "kubernetes" / "eso"
CLUSTER_STORE = "cluster-secret-store.yaml"
BY_HAND = "arcan-token-secret.yaml"  # here a team's token is made by `arcan token create`, as that file says


def filled_in(folder: Path, words: dict[str, str]) -> Path:
    """The manifests with every placeholder replaced, as by sed."""
    for file in sorted(MANIFESTS.glob("*.yaml")):
        text = file.read_text()
        for word, replacement in words.items():
            text = text.replace(word, replacement)
        assert "REPLACE_ME" not in text.partition("---\n")[2] or file.name == BY_HAND
        (folder / file.name).write_text(text)
    (folder / BY_HAND).unlink()
    return folder


@pytest.mark.parametrize("kind", ["SecretStore", "ClusterSecretStore"])
def test_the_manifests_work_once_their_placeholders_are_replaced(
    new_team: NewTeam, cluster: Cluster, tmp_path: Path, kind: str
) -> None:
    values = {"DATABASE_URL": "postgres://x", "B": "2"}
    team = new_team(values)
    namespace = kind.lower()
    for name in (namespace, f"eso-of-{namespace}"):
        cluster.make_namespace(name)
    team.make_token("first-try", namespace, f"eso-of-{namespace}")
    folder = filled_in(
        tmp_path,
        {
            "https://arcan.internal:9797": f"https://127.0.0.1:{team.port}",
            "namespace: default": f"namespace: {namespace}",
            "namespace: external-secrets": f"namespace: eso-of-{namespace}",
            "kind: SecretStore\n    name": f"kind: {kind}\n    name",
            "REPLACE_ME_REALM": REALM,
            "REPLACE_ME_ENVIRONMENT": ENVIRONMENT,
            "REPLACE_ME_KEY": "DATABASE_URL",
            "REPLACE_ME_NAMESPACE": namespace,
        },
    )
    if kind == "SecretStore":
        (folder / CLUSTER_STORE).unlink()
    cluster.api.apply_from_git(folder)
    seen = cluster.sync(namespace)
    assert {name: one.texts for (_, name), one in seen.items()} == {
        "my-app-secrets": {"DATABASE_URL": "postgres://x"},
        "my-app-secrets-bulk": values,
    }
    cluster.api.assert_nothing_differs(folder)
    cluster.api.delete(folder)
