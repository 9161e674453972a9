"""Names of keys, apps, files, branches and authors do nothing in any format, however many there are."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from arcan_gitops.review.documents import _comments
from arcan_gitops.review.reports import FORMATS
from arcan_gitops.review.reports.as_markdown import MAX_CHARACTERS, code
from arcan_gitops.review.rules.clear import _conflict, secrets_in
from tests.review.sample import CANARY, Sample

NAMES = [
    "@all",
    "</details>",
    "<img src=x onerror=alert(1)>",
    "a\n::error::forged",
    "::error::forged",
    "##[error]forged",
    "a`b``c```",
    "[x](https://evil.example.com)",
    "| a | b |",
    "a\r\nb",
    "\u202etxt.exe",
    "<!-- arcan review -->",
    "<script>alert(1)</script>",
    "x" * 200,
]
_OURS = ["<!-- arcan review -->", "<details><summary>What else changes</summary>", "</details>", "<br>"]


@pytest.fixture
def hostile(sample: Sample) -> Sample:
    """Each name as a file, a key of a document, and an author; the branch has one too."""
    document = sample.path("realms/production/dev.sops.yaml")
    lines = [f"{json.dumps(name)}: {line.partition(': ')[2]}" for name in NAMES for line in [_line(document)]]
    document.write_text("\n".join(lines) + "\n" + document.read_text())
    for number, name in enumerate(NAMES):
        folder = sample.path(f"kustomize/overlays/prod/shop/{number}")
        folder.mkdir()
        (folder / name.replace("/", "\u2215")).write_text(f"AGE-SECRET-KEY-1{number:058d}\n")
        sample.repository.git("add", "--all")
        author = re.sub(r"[<>\n\r]", "", name) or "x"
        sample.repository.git("commit", "-q", "-m", name, f"--author={author} <a@example.com>")
    sample.repository.git("branch", "-M", "@all&<b>")
    return sample


def _line(document: Path) -> str:
    return document.read_text().splitlines()[0]


def _review(sample: Sample, style: str, *arguments: str) -> str:
    printed = sample.arcan("review", f"--format={style}", "--fail-on=none", "--facts-only", *arguments)
    assert CANARY not in printed
    return printed


def without_code(line: str) -> str:
    """What GitHub does not take as code (CommonMark 6.1): backticks of one length around a text."""
    found, at = "", 0
    while at < len(line):
        run = re.match("`+", line[at:])
        if run is None:
            found, at = found + line[at], at + 1
            continue
        end = re.search(f"(?<!`){run[0]}(?!`)", line[at + len(run[0]) :])
        at += len(run[0]) + (end.end() if end else 0)
    return found


def test_a_comment_has_no_mention_no_link_no_tag_and_no_table_of_others(hostile: Sample) -> None:
    text = _review(hostile, "markdown")
    assert "forged" in text
    for line in text.splitlines():
        outside = without_code(line)
        for ours in _OURS:
            outside = outside.replace(ours, "")
        assert not re.search(r"[<>@\[\]`!\\]|://|forged|alert", outside), line
        if line.startswith("| "):
            assert len(re.findall(r"(?<!\\)\|", line)) == 6, line
            assert line.endswith(("` |", " who can read it |")), line
        if line.startswith("- "):
            assert re.search(r"`arcan (explain ARR\d+|review)`$", line), line
    assert text.splitlines()[0] == "<!-- arcan review -->"
    assert [line for line in text.splitlines() if line.startswith("<")] == _OURS[:3]


@pytest.mark.parametrize("style", ["text", "github"])
def test_no_line_is_a_command_to_a_ci_system(hostile: Sample, style: str) -> None:
    text = _review(hostile, style)
    assert "forged" in text
    for line in text.splitlines():
        assert "##[" not in line
        assert line.isprintable()
        if style == "github" and re.match(
            r"::(error|warning|notice) file=[^:,]*,line=\d+,title=ARR\d+::", line
        ):
            continue
        assert not line.lstrip().startswith("::"), line


@pytest.mark.parametrize("style", ["json", "sarif"])
def test_programs_get_one_object_of_ascii(hostile: Sample, style: str) -> None:
    text = _review(hostile, style)
    assert text.isascii()
    assert isinstance(json.loads(text), dict)


def test_what_to_do_next_runs_no_name_when_it_is_pasted(hostile: Sample, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    document = hostile.path("realms/production/dev.sops.yaml")
    names = [f"$(touch {mark})", f"`touch {mark}`", f"a; touch {mark}", f"'; touch {mark}; '"]
    lines = [f"{json.dumps(name)}: {_line(document).partition(': ')[2]}\n" for name in names]
    clear = [f"{json.dumps(name + '_unencrypted')}: x\n" for name in names]
    document.write_text("".join([*lines, *clear]) + document.read_text())
    hostile.path(f"kustomize/overlays/prod/shop/a; touch {mark.name}").write_text("x")
    for finding in json.loads(_review(hostile, "json"))["findings"]:
        # each part that could be pasted by itself, with programs that do nothing
        command = f"arcan() {{ :; }}; git() {{ :; }}; {finding['next']}"
        subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert not mark.exists()


def test_reading_a_file_that_is_made_to_be_slow_takes_one_pass() -> None:
    for text in (
        b"<<<<<<< a\n" * 200_000,
        b"\n" * 2_000_000,
        b"# a\n" * 200_000,
        b"kind: Secret\ndata:\n" * 50_000,
    ):
        assert secrets_in(text, "a.yaml") == []
        assert _conflict(text) is None
    assert len(_comments(b"# a\n" * 100_000 + b"# b\n")) == 2


def test_every_format_is_tried_here():
    assert set(FORMATS) <= {"text", "markdown", "json", "sarif", "github", "html"}


def test_a_comment_fits_however_many_findings_there_are(sample: Sample) -> None:
    folder = sample.path("kustomize/overlays/prod/shop")
    for number in range(600):
        (folder / f"{'</details>`@all'.replace('/', '')}{number}{'y' * 150}.yaml").write_text("kind: Pod\n")
    for number in range(300):
        sample.path(f"kustomize/apps/app-{number}.yaml").write_text(
            f"name: app-{number}\nrealm: production\nnamespace: n-{number}\ntoken: shop\n"
            f"secrets: [{{name: {'s' * 200}, keys: [STRIPE_KEY, DATABASE_URL]}}]\n"
        )
    text = _review(sample, "markdown")
    assert len(text) < MAX_CHARACTERS
    assert len(text.encode()) < MAX_CHARACTERS * 2
    lines = text.splitlines()
    secrets = "<details><summary>Kubernetes Secrets, once it is merged</summary>"
    folds = [line for line in lines if line.startswith(("<details>", "</details>"))]
    assert folds == [secrets, "</details>", *_OURS[1:3]]
    assert "more: `arcan review`" in text


@pytest.mark.parametrize("name", [*NAMES, "", "`", "``", " ` ", "\\|"])
def test_a_code_span_holds_any_text_whole(name: str) -> None:
    assert without_code(f"a {code(name)} b") == "a  b"
    assert "\n" not in code(name)
