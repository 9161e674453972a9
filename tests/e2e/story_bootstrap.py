"""What `arcan bootstrap` prints, run against a real API server with the real kubectl: once, and again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from arcan_gitops.cli.bootstrap import bootstrap
from tests.bootstrap.conftest import APPS, SETTINGS, TOKENS, VALUES
from tests.e2e.api_server import ApiServer
from tests.e2e.programs import Programs
from tests.support.realm_files import RealmFiles

OBJECTS = (
    ("arcan", "secrets", "arcan-tls"),
    ("arcan", "secrets", "arcan-age-identity"),
    ("arcan", "configmaps", "arcan-ca"),
    ("shop", "secrets", "arcan-credentials"),
    ("mailer", "configmaps", "arcan-ca"),
    ("external-secrets", "secrets", "infisical-machine-identity"),
    ("old", "secrets", "legacy-auth"),
)


def test_the_script_makes_everything_and_changes_nothing_when_it_is_run_again(
    folder: Path, programs: Programs, api: ApiServer
) -> None:
    place = folder / "bootstrap"
    repository = _repository(place / "repository")
    tools = place / "bin"
    tools.mkdir()
    (tools / "kubectl").symlink_to(programs["kubectl"])
    (tools / "arcan").symlink_to(Path(sys.executable).with_name("arcan"))
    env = {
        **api.environment,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "KUBECONFIG": str(api.kubeconfig),
        "VALUES": str(_values(place / "values")),
    }
    options = [f"--realms={repository / 'realms'}", f"--kustomize-dir={repository / 'kustomize'}"]
    script = CliRunner().invoke(bootstrap, ["prod", *options], catch_exceptions=False).stdout
    versions = []
    for _ in range(2):
        done = subprocess.run(
            ["bash", "-c", script], cwd=repository, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found = [api.get(f"/api/v1/namespaces/{space}/{kind}/{name}") for space, kind, name in OBJECTS]
        assert all(found), OBJECTS
        versions.append([each["metadata"]["resourceVersion"] for each in found])
        assert not any("annotations" in each["metadata"] for each in found), "a copy of a value"
    assert versions[0] == versions[1]
    shop = api.get("/api/v1/namespaces/shop/secrets/arcan-credentials")
    assert shop["metadata"]["labels"] == {"external-secrets.io/type": "webhook"}


def _repository(folder: Path) -> Path:
    files = RealmFiles(folder)
    files.write("production", "prod", "URL: x\n")
    (files.root / "production/tokens.yaml").write_text(TOKENS)
    (folder / "kustomize/apps").mkdir(parents=True)
    (folder / "kustomize/arcan.yaml").write_text(SETTINGS)
    for name, text in APPS.items():
        (folder / f"kustomize/apps/{name}.yaml").write_text(text)
    return folder


def _values(folder: Path) -> Path:
    for name, text in VALUES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
