"""The format of what a command prints is `--format` everywhere; `--output` is a file or folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from arcan_gitops.cli import arcan
from tests.support.realm_files import RealmFiles

MANIFEST = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a, namespace: b}\n"


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        elif command is not None:
            yield (*path, name), command


def test_an_output_is_a_file_or_folder_wherever_it_is_shown() -> None:
    for path, command in commands(arcan):
        for option in command.params:
            if isinstance(option, click.Option) and "--output" in option.opts and not option.hidden:
                assert isinstance(option.type, click.Path), path
            if isinstance(option, click.Option) and "--json" in option.opts:
                assert option.hidden, path


@pytest.mark.parametrize(
    ("arguments", "old", "new"),
    [
        (["validate", "--engine", "embedded", "-"], ["--output", "json"], ["--format", "json"]),
        (["validate", "--engine", "embedded", "-"], ["--output=junit"], ["--format=junit"]),
        (["realm", "recipients"], ["--json"], ["--format", "json"]),
    ],
)
def test_an_old_spelling_does_the_same_and_warns(
    arguments: list[str], old: list[str], new: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RealmFiles(tmp_path).write("production", "prod", "URL: x\n")
    monkeypatch.chdir(tmp_path)

    def run(options: list[str]) -> tuple[str, str]:
        done = CliRunner().invoke(arcan, [*arguments, *options], input=MANIFEST)
        assert done.exit_code == 0, done.stderr
        return done.stdout, done.stderr

    before, now = run(old), run(new)
    assert before[0] == now[0] != run([])[0]
    option = old[0].partition("=")[0]
    assert f"warning: {option} is now called --format: write --format {new[-1].split('=')[-1]}" in before[1]
    assert "warning" not in now[1]


def test_where_both_are_given_the_new_one_counts() -> None:
    done = CliRunner().invoke(
        arcan, ["validate", "--engine=embedded", "--format=json", "--output=text", "-"], input=MANIFEST
    )
    assert json.loads(done.stdout)


def test_an_old_spelling_takes_what_the_new_one_takes() -> None:
    done = CliRunner().invoke(arcan, ["validate", "--output", "xml", "-"], input=MANIFEST)
    assert done.exit_code == 2
    assert "'xml' is not one of 'text', 'json', 'junit'" in done.stderr
