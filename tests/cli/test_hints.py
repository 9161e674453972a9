"""Every `arcan` command that a text of the product names: it exists, with these options, and is whole.

Hints, help texts and comments of generated files are read from the source: a constant as it is, and an
f-string with a stand-in for what it puts in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from arcan_gitops.cli import arcan

PACKAGE = Path(__file__).resolve().parents[2] / "arcan_gitops"
STAND_IN = "X"
# what a header names, which is the same wherever the files are written
NOT_WHOLE = {"generate app X"}
# a command ends where its quotes do, or the line, the pipe, the sentence
COMMAND = re.compile(r"(?<![\w./-])arcan ((?:[a-z][a-z-]*)(?: [^\n`;|&]*)?)")
END = re.compile(r"['`,;:)]+[.,;:]?(?: |$)|(?:\.|:)$|[\x22]?\$\(| or | and | to |, |  ")
OPTION = re.compile(r"(?:--[a-z][a-z-]*|-[a-zA-Z])(?:=.*)?")


def texts(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[tuple[int, str]]:
    """(line, text) of the strings of a module, each whole."""
    for each in ast.walk(node):
        inside = parents.get(each)
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            if not isinstance(inside, ast.JoinedStr):
                yield each.lineno, each.value
        elif isinstance(each, ast.Call) and getattr(each.func, "attr", "") == "command" and each.args:
            named = each.args[0]  # `Place.command`, which adds the realm, `--env` and `--realms`
            if isinstance(named, ast.Constant) and " " in str(named.value):
                yield each.lineno, f"arcan {named.value} {STAND_IN} --env {STAND_IN} --realms {STAND_IN}"
        elif isinstance(each, ast.JoinedStr):
            yield (
                each.lineno,
                "".join(
                    str(part.value) if isinstance(part, ast.Constant) else STAND_IN for part in each.values
                ),
            )


# a command of a shell with something in it that is a name of a file, or of what somebody else has named
SHELL = re.compile(r"(?<![\w./-])(?:arcan|sops|mv|rm|cp|kubectl|git|chmod|base64) (?:(?!, )[^\n;|])*")
ANY_NAME = re.compile(r"\{[^{}]*\b(?:path|file|folder|source|old|origin|output|root|directory)\b[^{}]*\}")


def unquoted_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, expression) of what an f-string puts into a command as it is, and a shell would take apart."""
    for each in ast.walk(tree):
        if isinstance(each, ast.JoinedStr):
            shown = "".join(
                str(part.value) if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}"
                for part in each.values
                if isinstance(part, ast.Constant | ast.FormattedValue)
            )
            for command in SHELL.findall(shown):
                for name in ANY_NAME.findall(command):
                    if "quote" not in name:
                        yield each.lineno, name


def commands_in(text: str) -> Iterator[list[str]]:
    """The words of each command that a text names, without `arcan`; what names no command is no such text."""
    for found in COMMAND.finditer(text):
        words = END.split(found[1], maxsplit=1)[0].replace("'", "").split()
        if words and words[0] in arcan.list_commands(click.Context(arcan)):
            yield words


def all_commands() -> dict[str, list[str]]:
    """`module:line: command` -> its words."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for line, text in texts(tree, parents):
            for words in commands_in(text):
                found[f"{path.relative_to(PACKAGE)}:{line}: arcan {' '.join(words)}"] = words
    return found


COMMANDS = all_commands()


def problem(words: list[str]) -> str | None:
    """What is wrong with a command: by its group, its options, and, where it is more than a name, its whole."""
    command: click.Command = arcan
    rest = list(words)
    if rest[0] == "bootstrap" and rest[1:2] not in (["ca"], ["overlay"]):
        rest.insert(1, "overlay")  # as the command itself does
    while isinstance(command, click.Group) and rest and not OPTION.fullmatch(rest[0]):
        if rest[0] == "...":
            return None
        found = command.get_command(click.Context(command), rest[0])
        if found is None:
            return f"there is no '{rest[0]}' in '{command.name}'"
        command = found
        rest.pop(0)
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    known |= {"--help", "-h", "--version"}
    given = {word.partition("=")[0] for word in rest if OPTION.fullmatch(word)}
    if given - known:
        return f"'{command.name}' has no {', '.join(sorted(given - known))}"
    if (
        not rest
        or "..." in rest
        or " ".join(words) in NOT_WHOLE
        or "--help" in given
        or isinstance(command, click.Group)
    ):
        return None  # the name of a command, and no more
    missing = [
        option.opts[0]
        for option in command.params
        if option.required and isinstance(option, click.Option) and not given & set(option.opts)
    ]
    return f"'{command.name}' lacks {', '.join(missing)}" if missing else None


def test_the_walk_sees_commands() -> None:
    assert len(COMMANDS) > 100
    assert any("import sops" in name for name in COMMANDS)


def test_the_names_of_files_in_commands_are_quoted() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, name in unquoted_names(ast.parse(path.read_text()))
    ]
    assert found == []


def test_a_name_without_quotes_is_seen() -> None:
    source = "f'rm -rf {folder}'; f'sops edit {shlex.quote(str(path))}'; f'{path}: x'; f'arcan init {realm}'"
    assert list(unquoted_names(ast.parse(source))) == [(1, "{folder}")]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_that_is_named_exists_and_is_whole(name: str) -> None:
    assert problem(COMMANDS[name]) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("run 'arcan realm rotat shop'", "there is no 'rotat' in 'realm'"),
        ("run 'arcan secret set shop KEY --env prod --from-fil x' now", "'set' has no --from-fil"),
        ("`arcan secret set shop KEY --stdin`", "'set' lacks --env"),
        ("run 'arcan secret set' for one", None),
        ("x | arcan secret import shop - --env prod", None),
    ],
)
def test_a_wrong_command_is_seen(text: str, said: str | None) -> None:
    [words] = commands_in(text)
    assert problem(words) == said
