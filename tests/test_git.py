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


def test_the_files_of_a_commit_are_told_with_their_kinds(repository: GitRepository):
    repository.write("a b", "1")
    (repository.root / "link").symlink_to("a b")
    entries = reader(repository.root).entries(repository.commit())
    assert {path: entry.mode for path, entry in entries.items()} == {"a b": "100644", "link": "120000"}
    assert [entry.is_file for entry in entries.values()] == [True, False]
    git = reader(repository.root)
    blob = entries["a b"].blob
    assert (git.sizes([blob, "0" * 40]), git.contents([blob, blob])) == ({blob: 1}, {blob: b"1"})


def test_the_history_is_read_whatever_people_and_files_are_called(repository: GitRepository):
    repository.write("new\nline\x02", "1")
    first = repository.commit()
    repository.git(
        "commit", "-q", "--allow-empty", "--author", "a\x1fb\x02c <::error::x>", "-m", "m\n:100644"
    )
    repository.git("checkout", "-q", "-b", "topic")
    repository.write("b", "1")
    topic = repository.commit()
    repository.git("checkout", "-q", "main")
    (repository.root / "new\nline\x02").unlink()
    repository.commit()
    repository.git("merge", "-q", "--no-ff", "-m", "merged", "topic")
    found = list(reader(repository.root).log(["main"]))
    assert sorted(len(commit.parents) for commit in found) == [0, 1, 1, 1, 2]
    by_id = {commit.id: commit for commit in found}
    assert set(by_id[first].files) == {"new\nline\x02"}
    assert set(by_id[topic].files) == set(found[0].files) == {"b"}
    assert [c.files["new\nline\x02"] is None for c in found if "new\nline\x02" in c.files] == [True, False]
    assert "a\x1fb\x02c" in {commit.author for commit in found}
    assert list(reader(repository.root).log(["main", f"^{topic}"], ["nothing"])) == []


def test_the_work_tree_has_what_would_be_committed(repository: GitRepository):
    repository.write(".gitignore", "*.tmp\n")
    repository.write("a", "1")
    repository.commit()
    for name in ("new", "left.tmp", "deep/er"):
        repository.write(name, "1")
    assert reader(repository.root).work_files() == (".gitignore", "a", "deep/er", "new")


def test_the_default_branch_is_that_of_origin_or_has_a_usual_name(repository: GitRepository, tmp_path: Path):
    repository.write("a", "1")
    repository.commit()
    assert reader(repository.root).default_branch() == "main"
    repository.git("branch", "-m", "trunk")
    with pytest.raises(GitFailed):
        reader(repository.root).default_branch()
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(repository.root), str(clone)], check=True, capture_output=True)
    assert reader(clone).default_branch() == "origin/trunk"
    assert not reader(clone).is_shallow()


def test_a_partial_clone_says_what_it_has_and_fetches_nothing(repository: GitRepository, tmp_path: Path):
    repository.write("a", "1")
    old = reader(repository.root).entries(repository.commit())["a"].blob
    repository.write("a", "2")
    new = reader(repository.root).entries(repository.commit())["a"].blob
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    options = ["--quiet", "--filter=blob:none", f"file://{repository.root}", str(clone)]
    subprocess.run(["git", "clone", *options], check=True, capture_output=True)
    assert reader(clone).here([old, new]) == [new]
    assert reader(repository.root).here([old, new]) == [old, new]
