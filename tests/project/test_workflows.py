"""The workflows: sound for actionlint, no findings for zizmor, and no more rights than they need."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EACH_WORKFLOW = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def read(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(), Loader=yaml.BaseLoader)  # `on` stays a text


def jobs(path: Path) -> list[dict[str, Any]]:
    return list(read(path)["jobs"].values())


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(path) for step in job["steps"]]


def test_the_workflows_of_the_project_are_there():
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "image.yml", "manifests.yml", "realms.yml"]


def test_actionlint_finds_nothing():
    run("actionlint", "-no-color", *map(str, WORKFLOWS))


def test_zizmor_finds_nothing_even_as_an_auditor():
    run("zizmor", "--offline", "--no-progress", "--persona", "auditor", str(ROOT / ".github"))


@EACH_WORKFLOW
def test_a_workflow_has_no_rights_and_a_job_only_reads(path: Path):
    assert read(path)["permissions"] == {}
    for name, job in read(path)["jobs"].items():
        publishes = {"id-token": "write", "packages": "write"} if name == "publish" else {}
        assert job["permissions"] == {"contents": "read", **publishes}
        assert int(job["timeout-minutes"]) <= 30


def test_an_image_is_published_for_a_pushed_tag_only_with_sbom_provenance_and_signature():
    workflow = read(ROOT / ".github/workflows/image.yml")
    assert [name for name in workflow["on"] if name != "pull_request"] == ["push"]
    assert workflow["on"]["push"] == {"tags": ["v*"]}
    publish = workflow["jobs"]["publish"]
    assert publish["if"] == "${{ github.event_name == 'push' }}"
    script = "\n".join(step.get("run", "") for step in publish["steps"])
    for part in ("--sbom=true", "--provenance=mode=max", 'cosign" sign --yes "${IMAGE,,}@$digest"'):
        assert part in script


@EACH_WORKFLOW
def test_no_workflow_runs_with_the_secrets_of_the_repository(path: Path):
    assert "pull_request_target" not in read(path)["on"]
    assert "secrets." not in path.read_text()


@EACH_WORKFLOW
def test_actions_are_githubs_own_and_pinned_by_digest_with_the_version_beside_it(path: Path):
    used = re.findall(r"uses: *(.*)", path.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@EACH_WORKFLOW
def test_a_script_contains_no_expression(path: Path):
    for step in steps(path):
        assert "${{" not in step.get("run", "")


def test_the_workflow_for_realms_does_all_that_needs_no_key():
    script = "\n".join(step.get("run", "") for step in steps(ROOT / ".github/workflows/realms.yml"))
    for command in (
        "arcan realm check",
        "arcan generate overlays --check --base HEAD^1",
        "scripts/widened_tokens.py HEAD^1",
    ):
        assert command in script
