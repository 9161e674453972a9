"""Git's objects, read by the program: of any commit, and whatever the work tree says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from arcan_gitops.git import Git, GitFailed, GitMissing
from tests.support.git import GitRepository


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    return GitRepository(tmp_path / "repository")


def reader(folder: Path) -> Git:
    return Git.of(folder, dict(os.environ))


def test_files_are_those_of_the_commit_and_not_of_the_work_tree(repository: GitRepository):
    repository.write("kustomize/a/one.yaml", "first")
    repository.write("kustomize/b.yaml", "")
    first = repository.commit()
    repository.write("kustomize/a/one.yaml", "second")
    (repository.root / "kustomize/b.yaml").unlink()
    git = reader(repository.root / "kustomize")
    assert git.read(first, ["a/", "b.yaml"]) == {"a/one.yaml": b"first", "b.yaml": b""}
    assert git.read(first, ["nothing/"]) == {}
    assert git.read(first, [""]) == {"a/one.yaml": b"first", "b.yaml": b""}
    assert set(reader(repository.root).read(first, [""])) == {"kustomize/a/one.yaml", "kustomize/b.yaml"}


def test_a_name_of_any_kind_is_read_and_a_link_is_not(repository: GitRepository):
    names = ["with space", "ümläut", "quote'\"", "new\nline", "*", "a.b"]
    for number, name in enumerate(names):
        repository.write(f"files/{name}", f"{number}\n\0{number}")
    repository.write("outside", "x")
    (repository.root / "files/link").symlink_to("../outside")
    commit = repository.commit()
    found = reader(repository.root).read(commit, ["files/"])
    assert found == {f"files/{name}": f"{n}\n\0{n}".encode() for n, name in enumerate(names)}
    assert set(reader(repository.root).read(commit, ["files/*"])) == {"files/*"}


def test_a_branch_is_compared_with_where_it_left(repository: GitRepository):
    repository.write("a", "1")
    base = repository.commit()
    repository.git("checkout", "-q", "-b", "topic")
    repository.write("b", "1")
    topic = repository.commit()
    repository.git("checkout", "-q", "main")
    repository.write("c", "1")
    main = repository.commit()
    git = reader(repository.root)
    assert (git.commit("topic"), git.commit("main")) == (topic, main)
    assert git.merge_base(main, topic) == base


@pytest.mark.parametrize("name", ["nothing", "-h", "--all", "", "HEAD:a", "HEAD^^^"])
def test_what_is_no_commit_is_told(repository: GitRepository, name: str):
    repository.write("a", "1")
    repository.commit()
    with pytest.raises(GitFailed):
        reader(repository.root).commit(name)


def test_a_clone_without_the_common_commit_is_told(repository: GitRepository, tmp_path: Path):
    for number in range(3):
        repository.write("a", str(number))
        repository.commit()
    repository.git("branch", "old", "HEAD~2")
    clone = tmp_path / "clone"
    source = f"file://{repository.root}"
    options = ["--quiet", "--depth=1", "--no-single-branch"]
    subprocess.run(["git", "clone", *options, source, str(clone)], check=True, capture_output=True)
    git = reader(clone)
    with pytest.raises(GitFailed) as error:
        git.merge_base(git.commit("origin/old"), git.commit("HEAD"))
    assert "--unshallow" in (error.value.hint or "")


def test_a_folder_of_no_repository_and_a_machine_without_git_are_told(tmp_path: Path):
    with pytest.raises(GitMissing):
        Git.of(tmp_path, {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)})
    with pytest.raises(GitMissing):
        Git.of(tmp_path, {"PATH": str(tmp_path)})


def test_a_hook_of_another_repository_changes_nothing(repository: GitRepository, tmp_path: Path):
    """Git sets these for its hooks, pre-commit's among them."""
    repository.write("a", "1")
    commit = repository.commit()
    git = Git.of(repository.root, {**os.environ, "GIT_DIR": str(tmp_path), "GIT_INDEX_FILE": "nothing"})
    assert git.commit("HEAD") == commit


def test_nothing_of_the_repository_runs(repository: GitRepository, tmp_path: Path):
    mark = tmp_path / "ran"
    script = repository.root / "run.sh"
    repository.write("run.sh", f"#!/bin/sh\ntouch {mark}\ncat\n")
    script.chmod(0o755)
    repository.write(".gitattributes", "* filter=evil diff=evil\n")
    repository.write("a", "1")
    commit = repository.commit()
    for setting in ("filter.evil.smudge", "diff.evil.textconv", "core.fsmonitor", "core.pager"):
        repository.git("config", setting, str(script))
    assert reader(repository.root).read(commit, ["a"]) == {"a": b"1"}
    assert not mark.exists()
