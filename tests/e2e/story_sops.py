"""A document for post-quantum recipients, which pyrage cannot open: through the fallback to a sops that can."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cases import CASES
from tests.e2e.programs import Programs
from tests.support.live_server import ARCAN, LiveServer, create_token
from tests.support.realm_files import RealmFiles, decrypt_to_json, new_identity

FILES = CASES / "sops" / "pq"
VALUES = {"K": "v", "L": "w"}


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    """A realm whose one document is for a post-quantum recipient alone; its identity is the one at hand."""
    files = RealmFiles(tmp_path / "git")
    path = files.path("shop", "prod")
    path.parent.mkdir()
    path.write_bytes((FILES / "pq.sops.yaml").read_bytes())
    files.identity_file.write_bytes((FILES / "identity.txt").read_bytes())
    return files


def allowed(programs: Programs) -> tuple[str, ...]:
    return ("--sops-binary", str(programs["sops"]), "--allow-key-type", "age-pq")


def arcan(files: RealmFiles, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ARCAN, *arguments, "--realms", str(files.root), "--identity-file", str(files.identity_file)],
        env={name: value for name, value in os.environ.items() if not name.startswith("SOPS_")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_values_are_read_and_its_mac_is_verified(programs: Programs, files: RealmFiles) -> None:
    for key, value in VALUES.items():
        done = arcan(files, "secret", "get", "shop", key, "--env=prod", *allowed(programs))
        assert (done.returncode, done.stdout) == (0, value), done.stderr
    verified = arcan(files, "realm", "verify", *allowed(programs))
    assert verified.returncode == 0, verified.stderr
    assert "shop/prod  verified" in verified.stdout


def test_it_is_imported_into_a_document_of_another_environment(programs: Programs, files: RealmFiles) -> None:
    identity, recipient = new_identity()
    (files.root.parent / ".sops.yaml").write_text(f"creation_rules: [{{age: {recipient}}}]\n")
    source = str(FILES / "pq.sops.yaml")
    done = arcan(files, "import", "sops", "shop", source, "--env=dev", *allowed(programs))
    assert done.returncode == 0, done.stderr
    seen = decrypt_to_json(files.path("shop", "dev").read_bytes(), identity)
    assert VALUES.items() <= json.loads(seen.stdout).items()


def test_without_the_permission_the_hint_is_what_gives_it(programs: Programs, files: RealmFiles) -> None:
    refused = arcan(files, "secret", "get", "shop", "K", "--env=prod")
    assert refused.returncode == 1
    assert "post-quantum, which take --sops-binary PATH and --allow-key-type" in refused.stderr


def test_the_server_serves_it(programs: Programs, files: RealmFiles, tmp_path: Path) -> None:
    token = create_token(files, "shop", "eso")
    with LiveServer(files, tmp_path / "server", *allowed(programs)) as server:
        for key, value in VALUES.items():
            assert server.get(f"/api/v1/eso/shop/{key}?env=prod", token).json == {"value": value}
        assert "and may be used for age-pq" in server.log


def test_a_document_that_was_changed_is_refused(programs: Programs, files: RealmFiles) -> None:
    path = files.path("shop", "prod")
    path.write_text(path.read_text().replace("K: ENC", "M: ENC"))
    refused = arcan(files, "secret", "get", "shop", "M", "--env=prod", *allowed(programs))
    assert refused.returncode == 1
    assert refused.stdout == ""
