"""The first steps of a new repository's README, as they stand: in an empty home, and without a network."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from arcan_gitops.cli import arcan
from tests.bootstrap.cluster import FakeCluster
from tests.support.realm_files import new_identity
from tests.support.signing_cluster import ISSUER, SigningCluster
from tests.support.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the lock names, as an index would give it: the last thing that takes a network."""
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--only-binary=:all:"]
    subprocess.run(
        [*command, "--dest", str(folder), "--requirement", str(ROOT / "requirements.lock")], check=True
    )
    return folder


@pytest.fixture
def environment(tmp_path: Path, wheels: Path) -> dict[str, str]:
    (tmp_path / "home").mkdir()
    return {
        "PATH": f"{ROOT / '.tools/bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(tmp_path / "home"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org",
    }  # fmt: skip


def steps(readme: str, section: str) -> list[str]:
    """The blocks of commands of a section."""
    text = readme.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return [re.sub(r"(?m)^    ", "", block) for block in re.findall(r"(?:^    .+\n)+", text, re.M)]


def test_they_run_one_after_another_from_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "secrets"
    server, glass = new_identity()[1], new_identity()[1]
    made = CliRunner().invoke(
        arcan, ["init", str(folder), f"--recipient=prod={server}", f"--break-glass={glass}"]
    )
    assert made.exit_code == 0, made.exception
    readme = (folder / "README.md").read_text()
    install, first, app, checks = steps(readme, "First steps")
    venv = Path(sys.executable).resolve()
    run(install.replace("python3 -m venv", f"{venv} -m venv"), folder, environment)
    environment["PATH"] = f"{folder / '.venv/bin'}:{environment['PATH']}"  # as its activation leaves it
    with Terminal(["bash", "-ec", first], folder, environment) as terminal:
        for _ in range(2):
            terminal.read_until(": ")
            terminal.type("postgresql://db\r")
        assert terminal.wait() == 0, terminal.shown
    run(app, folder, environment)
    said = run(checks, folder, environment)
    assert "valid" in said
    listed = run("git ls-files", folder, environment)
    assert re.search(r"^kustomize/overlays/prod/.*shop", listed, re.M)
    assert "values/" not in listed
    assert ".venv" not in listed

    # a cluster, with a kubectl that is one
    cluster = FakeCluster(tmp_path / "cluster")
    (cluster.path / "arcan").unlink()
    environment["PATH"] = f"{cluster.path}:{environment['PATH']}"
    (folder / "values/tls").mkdir(parents=True)
    cluster.say("/openid/v1/jwks", json.dumps(SigningCluster("main").jwks()))
    cluster.say("/.well-known/openid-configuration", json.dumps({"issuer": ISSUER}))
    (folder / "values/tls/ca.crt").write_text("PEM\n")
    for block in steps(readme, "A cluster"):
        run(block, folder, environment)
    assert cluster.objects["configmap/shop/arcan-ca"]["data"] == {"ca.crt": "PEM\n"}
    assert "main/shop/arcan-reader" in run("arcan account list", folder, environment)
    assert not [place for place in cluster.objects if place.startswith("secret/")], "nobody made a credential"
    assert run("git status --porcelain", folder, environment) == ""


def run(commands: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-ec", commands], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr
