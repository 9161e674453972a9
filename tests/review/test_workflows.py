"""The scripts of the workflows that review, run as GitHub runs them: the comment, and the status of gains."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.review.sample import CANARY, Sample

FILES = Path(__file__).resolve().parents[2] / "arcan_gitops/scaffold/files"
GH = """\
#!{python}
import json, pathlib, subprocess, sys
arguments, here = sys.argv[1:], pathlib.Path(__file__).parent
endpoint = next(word for word in arguments[1:] if not word.startswith("-") and word not in ("POST", "PATCH"))
if "--method" in arguments:
    with open(here / "calls", "a") as calls:
        calls.write(json.dumps(arguments) + "\\n")
    sys.exit()
name = endpoint.partition("?")[0].replace("/", "_")
answer = (here / name).read_text()
if "--jq" in arguments:
    command = ["jq", "-r", arguments[arguments.index("--jq") + 1]]
    answer = subprocess.run(command, input=answer, capture_output=True, text=True, check=True).stdout
print(answer, end="")
"""


class GitHub:
    """A clone of the default branch, an origin with a pull request, and a `gh` that answers from files."""

    def __init__(self, sample: Sample, folder: Path) -> None:
        self.sample = sample
        self.clone, self.bin, self.temp = folder / "clone", folder / "bin", folder / "temp"
        self.bin.mkdir()
        self.temp.mkdir()
        gh = self.bin / "gh"
        gh.write_text(GH.format(python=sys.executable))
        gh.chmod(0o700)
        self.head = sample.repository.commit()
        sample.repository.git("update-ref", "refs/pull/7/head", self.head)
        command = ["git", "clone", "--quiet", "--branch=main", f"file://{sample.root}", str(self.clone)]
        subprocess.run(command, check=True, capture_output=True)
        self.answers("repos_o_r_pulls", [{"number": 7, "head": {"sha": self.head}}])
        self.answers(
            "repos_o_r_pulls_7",
            {"base": {"sha": sample.main}, "user": {"login": "mallory"}, "head": {"sha": self.head}},
        )

    def answers(self, name: str, answer: Any) -> None:
        (self.bin / name).write_text(json.dumps(answer))

    def reviews(self, *reviews: tuple[str, str, str, list[str]]) -> None:
        """(login, state, commit, teams)"""
        nodes = [
            {
                "state": state,
                "author": {"login": login},
                "commit": {"oid": commit},
                "onBehalfOf": {"nodes": [{"combinedSlug": team} for team in teams]},
            }
            for login, state, commit, teams in reviews
        ]
        found = {"latestOpinionatedReviews": {"nodes": nodes}}
        self.answers("graphql", {"data": {"repository": {"pullRequest": found}}})

    def run(self, workflow: str) -> None:
        """Every script of the one job, but the installation."""
        [job] = yaml.safe_load((FILES / workflow).read_text())["jobs"].values()
        given = {
            "NUMBER": "7",
            "TOKEN": CANARY,
            "GH_TOKEN": CANARY,
            "BASE": self.sample.main,
            "HEAD": self.head,
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_REPOSITORY": "o/r",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "PATH": f"{self.bin}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        for step in job["steps"]:
            if "run" in step and step["name"] != "Install":
                done = subprocess.run(
                    ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                    cwd=self.clone,
                    env={"HOME": str(self.temp), **given},
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, done.stdout + done.stderr
                assert CANARY not in done.stdout + done.stderr

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.bin / "calls").read_text().splitlines()]

    @property
    def status(self) -> list[str]:
        """State and description of the status that was set last."""
        fields = [word.partition("=")[2] for word in self.calls[-1] if "=" in word]
        return fields[1:]


@pytest.fixture
def github(sample: Sample, tmp_path: Path) -> GitHub:
    """A pull request that gives web another key, and brings what would run if anything of it did."""
    mark = tmp_path / "ran"
    sample.sh(
        f"sed -i 's/keys: .JWT_KEY./keys: [JWT_KEY, STRIPE_KEY]/' kustomize/apps/web.yaml\n"
        f"printf '#!/bin/sh\\ntouch {mark}\\n' > run.sh\n"
        "printf '* filter=evil diff=evil\\n' > .gitattributes"
    )
    made = GitHub(sample, tmp_path)
    for setting in ("filter.evil.smudge", "filter.evil.clean", "diff.evil.textconv"):
        command = ["git", "config", setting, f"touch {mark}"]
        subprocess.run(command, cwd=made.clone, check=True, capture_output=True)
    return made


def test_the_comment_is_written_once_and_then_kept_up(github: GitHub) -> None:
    github.answers(
        "repos_o_r_issues_7_comments",
        [{"id": 1, "user": {"login": "mallory"}, "body": "<!-- arcan review -->"}],
    )
    github.run("comment.yml")
    assert github.calls[-1][3:5] == ["POST", "repos/o/r/issues/7/comments"]
    text = (github.temp / "comment.md").read_text()
    assert text.startswith("<!-- arcan review -->\n")
    assert "ARR206" in text
    bot = {"id": 5, "user": {"login": "github-actions[bot]"}, "body": text}
    github.answers("repos_o_r_issues_7_comments", [bot])
    github.run("comment.yml")
    assert github.calls[-1][3:5] == ["PATCH", "repos/o/r/issues/comments/5"]


def test_nothing_of_the_pull_request_is_checked_out_or_run(github: GitHub, tmp_path: Path) -> None:
    github.answers("repos_o_r_issues_7_comments", [])
    github.run("comment.yml")
    assert not (tmp_path / "ran").exists()
    assert not (github.clone / "run.sh").exists()


BOTH = [
    "Example-Org/Platform",
    "example-org/payments",
]  # who owns the app's file, and the realm that it reads


@pytest.mark.parametrize(
    ("reviews", "state"),
    [
        ([], "failure"),
        ([("alice", "APPROVED", "HEAD", [])], "failure"),
        ([("alice", "APPROVED", "HEAD", ["Example-Org/Platform"])], "failure"),
        ([("alice", "APPROVED", "HEAD", BOTH)], "success"),
        ([("alice", "CHANGES_REQUESTED", "HEAD", BOTH)], "failure"),
        ([("alice", "APPROVED", "an-older-head", BOTH)], "failure"),
        ([("mallory", "APPROVED", "HEAD", BOTH)], "failure"),
    ],
    ids=[
        "nobody",
        "no owner",
        "an owner of the app, and not of the realm",
        "an owner",
        "an owner who disagrees",
        "an older head",
        "the author",
    ],
)
def test_gains_are_red_until_an_owner_other_than_the_author_approved_this_head(
    github: GitHub, reviews: list[tuple[str, str, str, list[str]]], state: str
) -> None:
    github.reviews(
        *[(who, what, github.head if at == "HEAD" else at, teams) for who, what, at, teams in reviews]
    )
    github.run("gains.yml")
    assert github.status[0] == state, github.status
    assert [call[4] for call in github.calls] == [f"repos/o/r/statuses/{github.head}"] * 2


def test_a_branch_without_gains_is_green_at_once(sample: Sample, tmp_path: Path) -> None:
    sample.sh("printf 'more\\n' >> README.md")
    github = GitHub(sample, tmp_path)
    github.reviews()
    github.run("gains.yml")
    assert github.status == ["success", "nobody gains access"]
