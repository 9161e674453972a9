"""deploy/kubernetes/eso/: what a guide tells people to apply, after replacing the placeholders."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from arcan_gitops.deploy import static_tree
from arcan_gitops.yamlio import read_documents
from tests.deploy.repository import Manifest, validated

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "kubernetes" / "eso"


def objects(name: str) -> list[Manifest]:
    return read_documents((FOLDER / name).read_bytes(), name)


def test_the_committed_files_are_those_that_the_code_writes() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "static_manifests.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + "run: python scripts/static_manifests.py"
    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == static_tree()


def test_they_are_the_files_that_the_first_guide_names() -> None:
    kinds = {name: [thing["kind"] for thing in objects(name)] for name in static_tree()}
    assert kinds == {
        "arcan-token-secret.yaml": ["Secret"],
        "secret-store.yaml": ["SecretStore"],
        "external-secret.yaml": ["ExternalSecret"],
        "external-secret-bulk.yaml": ["SecretStore", "ExternalSecret"],
        "cluster-secret-store.yaml": ["ClusterSecretStore", "ClusterSecretStore"],
    }


def test_they_are_valid_and_belong_together_once_the_placeholders_are_replaced() -> None:
    replaced: list[Manifest] = []
    for name in static_tree():
        text = (FOLDER / name).read_text()
        assert "REPLACE_ME" in text
        replaced += read_documents(text.replace("REPLACE_ME_NAMESPACE", "shop").encode(), name)
    validated(replaced)
    stores = {thing["metadata"]["name"] for thing in replaced if thing["kind"] == "SecretStore"}
    used = {
        thing["spec"]["secretStoreRef"]["name"] for thing in replaced if thing["kind"] == "ExternalSecret"
    }
    assert stores == used == {"arcan", "arcan-bulk"}
    (token,) = (thing for thing in replaced if thing["kind"] == "Secret")
    assert token["metadata"]["labels"] == {"external-secrets.io/type": "webhook"}
    for store in (thing for thing in replaced if thing["kind"].endswith("SecretStore")):
        (secret,) = store["spec"]["provider"]["webhook"]["secrets"]
        assert secret["secretRef"]["name"] == token["metadata"]["name"]
        assert secret["secretRef"]["key"] in token["stringData"]


def test_a_placeholder_that_was_forgotten_is_no_valid_name() -> None:
    """So the API server, or the server, refuses it, and nothing is made under a wrong name."""
    for name in static_tree():
        for word in (FOLDER / name).read_text().replace("/", " ").replace("?", " ").replace("=", " ").split():
            if word.startswith("REPLACE_ME_"):
                assert word != word.lower()
