"""What is said when Kustomize fails: the program, what it printed, what it needs, and no value."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from arcan_gitops.validate.kustomize import BuildFailed, Kustomize
from arcan_gitops.validate.printed import Quotable
from tests.cases import case
from tests.support.kustomize import NEWEST, OLDEST

Write = Callable[[str, str], Path]
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\n"
CANARY = "canary"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> Path:
        path = tmp_path / "overlay" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path.parent

    return write


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], str]:
    """A stand-in for kustomize or kubectl, by what it says of its version and what it does with a folder."""

    def program(name: str, script: str) -> str:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return program


def failure(folder: Path, command: tuple[str, ...]) -> str:
    with pytest.raises(BuildFailed) as failed:
        Kustomize(command).build(folder)
    message = failed.value.message
    assert message.isprintable()
    assert len(message) < 900
    return message


def real(name: str) -> tuple[str, ...]:
    path = shutil.which(name)
    assert path is not None
    return (path, "kustomize" if name == "kubectl" else "build")


@pytest.mark.parametrize("name", [NEWEST, OLDEST, "kubectl"])
def test_what_the_program_printed_is_shown_with_its_name(write: Write, name: str):
    folder = write("kustomization.yaml", "resources: [nope.yaml]\n")
    message = failure(folder, real(name))
    assert "cannot build it: no such file or directory: nope.yaml; it printed: " in message
    assert "must build at directory: not a valid directory" in message


@pytest.mark.parametrize("name", [NEWEST, OLDEST, "kubectl"])
@pytest.mark.parametrize(
    ("kustomization", "manifest", "said"),
    [
        ("secretGenerator: [{name: a, literals: [canary-1, 'PW=canary-2 x']}]\n", "", "literal source"),
        ("resources: [a.yaml]\n", SECRET + "stringData:\n  pw: canary-1\n  pw: canary-2\n", 'key "pw" already'),
        ("resources: [a.yaml]\n", SECRET + "stringData:\n  pw: [canary-1\n", "did not find expected"),
        ("resources: [a.yaml]\n", "kind: Secret\nstringData: {a: canary-1}\n", "missing"),
        (
            "resources: [a.yaml]\npatches:\n- target: {kind: Secret}\n  patch: '{canary-1: [canary-2}'\n",
            SECRET,
            "patch",
        ),
        (
            "resources: [a.yaml]\npatches:\n- path: a.txt\n  target: {kind: Secret}\n",
            SECRET + "data: {pw: Y2FuYXJ5LTE=}\n",
            "a.txt",
        ),
        ("resources: [a.yaml]\n", "canary-1 canary-2: canary-3\n", "printed"),
        ("resources: [a.yaml]\nnamePrefix: {canary-1: canary-2}\n", SECRET, "namePrefix"),
    ],
)  # fmt: skip
def test_no_value_is_shown(write: Write, name: str, kustomization: str, manifest: str, said: str):
    write("a.yaml", manifest)
    write("a.txt", "A=canary-1\n=canary-2\n")
    message = failure(write("kustomization.yaml", kustomization), real(name))
    assert said in message
    assert CANARY not in message


@pytest.mark.parametrize("name", [OLDEST, "kubectl"])
def test_a_crash_on_two_deletions_says_which_version_builds_them(name: str):
    message = failure(case("kustomize", "two-deletes"), real(name))
    assert "it printed: panic: runtime error: invalid memory address or nil pointer dereference;" in message
    assert "use kustomize 5.7 or newer, or kubectl 1.34 or newer" in message
    assert "goroutine" not in message


def test_kubectl_is_named_with_the_kustomize_in_it(program: Callable[[str, str], str], write: Write):
    version = '{"clientVersion": {"gitVersion": "v1.30.2"}, "kustomizeVersion": "v5.0.4-0.2023"}'
    script = f"""test "$1" = version && echo '{version}' && exit 0; echo 'error: unknown thing' >&2; exit 1"""
    message = failure(write("kustomization.yaml", ""), (program("kubectl", script), "kustomize"))
    assert message == (
        "kubectl v1.30.2 (kustomize v5.0.4) cannot build it: it printed: error: unknown thing; "
        "kustomize 5.4 or newer is needed, or kubectl 1.31 or newer"
    )


@pytest.mark.parametrize(
    ("version", "shown"),
    [
        ("v5.3.0", "kustomize v5.3.0 "),
        ("{Version:kustomize/v4.5.7 GitCommit:abc}", "kustomize v4.5.7 "),
        ("{Version:3.8.1 GitCommit:abc}", "kustomize 3.8.1 "),
        ("v2.0.3\\x1b[31m", "kustomize v2.0.3 "),
    ],
)
def test_an_old_kustomize_is_told_which_is_needed(
    program: Callable[[str, str], str], write: Write, version: str, shown: str
):
    script = f"""test "$1" = version && printf '{version}' && exit 0; exit 1"""
    message = failure(write("kustomization.yaml", ""), (program("kustomize", script), "build"))
    assert message.startswith(f"{shown}cannot build it: it printed nothing; kustomize 5.4 or newer is needed")


def test_what_is_printed_is_one_bounded_line():
    shown = Quotable().masked("\x07first\nsecond " + "word " * 500)
    assert shown.startswith("\ufffdfirst second word word")
    assert len(shown) == 400


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("password: hunter2\n", "bad `hunter2`"),
        ("password: hunter2hunter2\n", "cannot unmarshal !!str `hunter2...` into int"),
        ("password: correct horse battery\n", "at correct horse battery"),
        ("data: {pw: aHVudGVyMg==}\n", "bad hunter2"),
        ("data: {pw: hunter2}\n", 'bad {"pw":"hunter2"} or map[pw:hunter2]'),
        ("stringData: {name: hunter2}\n", "bad hunter2"),
        ("a: 'x\n\n  hunter2'\n", r"bad \"x\nhunter2\""),
        ("a: [hunter2\n", "bad hunter2"),
        ("PW=hunter2\n", "bad PW=hunter2"),
        ("a: &b {c: *b, d: hunter2}\n", "bad hunter2"),
        ("[" * 100_000 + "hunter2", "bad hunter2"),
    ],
)  # fmt: skip
def test_a_value_is_masked_however_it_is_quoted(text: str, printed: str):
    quotable = Quotable()
    quotable.add(text.encode())
    shown = quotable.masked(printed)
    assert "***" in shown
    for word in ("hunter2", "correct", "horse", "battery"):
        assert word not in shown


def test_names_and_paths_are_shown_though_a_value_is_in_them(tmp_path: Path):
    quotable = Quotable()
    quotable.add(b"kind: ConfigMap\nmetadata: {name: settings, namespace: prod}\ndata: {env: production}\n")
    (tmp_path / "production").mkdir()
    text = f"ConfigMap.v1.[noGrp]/settings.prod in '{tmp_path}/production/a.yaml', not production"
    expected = "ConfigMap.v1.[noGrp]/settings.prod in 'production/a.yaml', not ***"
    assert quotable.masked(text, tmp_path) == expected


def test_a_file_that_cannot_be_read_is_passed_over(tmp_path: Path):
    quotable = Quotable()
    quotable.add_file(tmp_path / "nope")
    quotable.add_file(Path(os.devnull))
    assert quotable.masked("all fine") == "all fine"
