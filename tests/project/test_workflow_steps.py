"""The scripts of the workflows, run as GitHub runs them, on pull requests that are good and bad."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ENCRYPTED = "Every changed file is encrypted, well formed and for the right recipients"
WHOLE_TREE = "So is the whole tree"
KEYS_EXIST = (
    "Every key that an app asks for exists, its token may read it, and nothing goes that nobody said goes"
)
WIDENED = "Name every token that may read more than before"


class PullRequest:
    """A clone of the project's declarations, with a branch that is merged the way GitHub tries it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("realms", "kustomize", "scripts"):
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / ".sops.yaml", root)
        (root / ".gitignore").write_text("/.venv\n")
        (root / ".venv").symlink_to(sys.prefix)  # what the step "Install" makes
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()
        self.git("checkout", "--quiet", "-b", "change")

    def git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")

    def arcan(self, *arguments: str) -> None:
        command = [f"{sys.prefix}/bin/arcan", *arguments]
        subprocess.run(command, cwd=self.root, check=True, capture_output=True)

    def merge(self) -> None:
        """Afterwards HEAD^1 is the branch that the pull request goes to."""
        self.commit()
        self.git("checkout", "--quiet", "main")
        self.git("merge", "--quiet", "--no-ff", "--no-edit", "change")

    def run(self, workflow: str) -> dict[str, subprocess.CompletedProcess[str]]:
        """Step name -> how it ended, for every script but the installation."""
        job = next(iter(yaml.safe_load((ROOT / ".github/workflows" / workflow).read_text())["jobs"].values()))
        return {
            step["name"]: subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.root,
                env={"PATH": os.environ["PATH"], "GITHUB_ACTIONS": "true"},
                check=False,
                capture_output=True,
                text=True,
            )
            for step in job["steps"]
            if "run" in step and step["name"] != "Install"
        }


def failed(steps: dict[str, subprocess.CompletedProcess[str]]) -> dict[str, str]:
    return {name: done.stdout + done.stderr for name, done in steps.items() if done.returncode != 0}


@pytest.fixture
def change(tmp_path: Path) -> PullRequest:
    return PullRequest(tmp_path / "clone")


def test_the_committed_overlays_are_current_and_valid(change: PullRequest):
    assert failed(change.run("manifests.yml")) == {}


def test_an_overlay_edited_by_hand_is_refused(change: PullRequest):
    overlays = (change.root / "kustomize/overlays").rglob("*.yaml")
    edited = next(path for path in overlays if "deletionPolicy: Retain" in path.read_text())
    edited.write_text(edited.read_text().replace("deletionPolicy: Retain", "deletionPolicy: Delete"))
    assert "The overlays are up to date" in failed(change.run("manifests.yml"))


def test_a_new_token_passes_and_is_named(change: PullRequest):
    change.arcan("token", "create", "--realm=production", "--name=ci", "--policy=read-only")
    change.merge()
    steps = change.run("realms.yml")
    assert failed(steps) == {}
    assert steps[ENCRYPTED].stderr.count("1 file(s) checked") == 1
    notice = "::notice file=realms/production/tokens.yaml::token ci ("
    assert steps[WIDENED].stdout.startswith(notice)
    assert "environments all, keys all, without an expiry" in steps[WIDENED].stdout


def test_a_document_in_clear_is_refused_by_name(change: PullRequest):
    (change.root / "realms/production/dev.sops.yaml").write_text("DATABASE_URL: in the clear\n")
    change.merge()
    problems = failed(change.run("realms.yml"))
    assert "realms/production/dev.sops.yaml" in problems[ENCRYPTED]
    assert "realms/production/dev.sops.yaml" in problems[WHOLE_TREE]
    assert "in the clear" not in "".join(problems.values())


def test_a_file_that_has_no_place_among_the_realms_is_refused(change: PullRequest):
    (change.root / "realms/production/prod.yaml").write_text("DATABASE_URL: in the clear\n")
    change.merge()
    assert list(failed(change.run("realms.yml"))) == [WHOLE_TREE, KEYS_EXIST]


def test_an_app_that_asks_for_a_key_that_is_not_there_is_refused(change: PullRequest):
    app = change.root / "kustomize/apps/shop.yaml"
    assert "DATABASE_URL" in app.read_text()
    app.write_text(app.read_text().replace("DATABASE_URL", "DATABASE_URI"))
    change.merge()
    problems = failed(change.run("realms.yml"))
    assert list(problems) == [KEYS_EXIST]
    assert "DATABASE_URI" in problems[KEYS_EXIST]


def test_a_tokens_file_that_is_nonsense_is_refused(change: PullRequest):
    (change.root / "realms/production/tokens.yaml").write_text("version: 1\ntokens: [everybody]\n")
    change.merge()
    problems = failed(change.run("realms.yml"))
    assert "realms/production/tokens.yaml" in problems[ENCRYPTED]


def test_removing_a_realm_is_no_error_of_the_file_check(change: PullRequest):
    shutil.rmtree(change.root / "realms/platform")
    change.merge()
    steps = change.run("realms.yml")
    assert steps[ENCRYPTED].returncode == 0
    assert list(failed(steps)) == [KEYS_EXIST]


def test_an_app_whose_file_is_deleted_is_refused_and_one_that_is_removed_passes(change: PullRequest):
    app = change.root / "kustomize/apps/mailer.yaml"
    text = app.read_text()
    app.unlink()
    shutil.rmtree(change.root / "kustomize/overlays/prod/mailer")
    change.merge()
    problems = failed(change.run("realms.yml"))
    assert list(problems) == [KEYS_EXIST]
    assert "nothing says that app 'mailer' goes" in problems[KEYS_EXIST]
    change.git("reset", "--quiet", "--hard", "HEAD^1")
    change.git("checkout", "--quiet", "change")
    app.write_text(f"{text}removed: 2026-11-28\n")
    change.arcan("generate", "overlays")
    change.merge()
    steps = change.run("realms.yml")
    assert failed(steps) == {}
    assert "in namespace 'mailer' of overlay 'prod' goes: app 'mailer'" in steps[KEYS_EXIST].stderr
