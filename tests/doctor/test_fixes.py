"""Each fix can be pasted: programs, subcommands and options are there, and the context is in it."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import click
import pytest

from arcan_gitops.cli import arcan
from arcan_gitops.doctor.check import examine
from arcan_gitops.doctor.checks import CHECKS
from tests.doctor.scene import Scene
from tests.doctor.test_faults import FAULTS, Fault

# what the tools have that are not ours; an empty set: they have no subcommands
TOOLS = {
    "kubectl": {
        "annotate", "apply", "auth", "config", "create", "delete", "describe", "get", "label", "logs", "patch",
        "port-forward", "rollout", "scale",
    },
    "helm": {"repo", "upgrade"},
    "oc": {"adm"},
    "aws": {"sts", "iam", "secretsmanager", "ssm"},
    "vault": {"status", "token", "kv"},
    "terraform": {"apply"},
    "curl": set(), "jq": set(), "mv": set(), "bash": set(), "date": set(), "${EDITOR:-vi}": set(),
}  # fmt: skip
# what only whoever mends it can know, and how it stands in a command
PLACEHOLDERS = {"PROJECT_ID": "the id of a project is in Infisical alone"}
CONTEXT = {"kubectl": "--context=", "helm": "--kube-context=", "oc": "--context="}


def commands(fix: str) -> list[list[str]]:
    """The words of each command of a line."""
    lexer = shlex.shlex(fix.replace("$(date +%s)", "1"), posix=True, punctuation_chars="|&>")
    lexer.whitespace_split, lexer.commenters = True, "#"
    found: list[list[str]] = [[]]
    for word in lexer:
        if word in ("|", "&&", "&"):
            found.append([])
        else:
            found[-1].append(word)
    return [[word for word in one if not re.match(r"[A-Z_]+=", word)] for one in found]


def assert_ours(words: list[str]) -> None:
    """The command line has the subcommand, and each option."""
    command: click.Command = arcan
    words = words[: words.index(">")] if ">" in words else words
    while isinstance(command, click.Group):
        context = click.Context(command)
        command.parse_args(context, list(words))
        _, found, words = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        command = found
    command.make_context("arcan", list(words))


def fixes(fault: Fault, context: str = "") -> list[str]:
    scene = Scene()
    fault.spoil(scene)
    report = examine(replace(scene.facts(), context=context), CHECKS)
    return [command for finding in report.findings for command in finding.found.fix]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_each_program_and_option_of_a_fix_is_there(fault: Fault) -> None:
    for fix in fixes(fault):
        for words in commands(fix):
            if words[0] == "arcan":
                assert_ours(words[1:])
                continue
            assert words[0] in TOOLS, fix
            assert not TOOLS[words[0]] or words[1] in TOOLS[words[0]], fix
        said = set(re.findall(r"(?<![\w/])[A-Z]{3,}(?:_[A-Z]+)*\b", fix.partition("#")[0]))
        assert said - set(PLACEHOLDERS) <= {"VAULT_ADDR", "REPLACE", "EDITOR"}, fix


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_no_fix_goes_to_another_cluster(fault: Fault) -> None:
    for fix in fixes(fault, "prod eu"):
        for words in commands(fix):
            if words[:3] == ["kubectl", "config", "use-context"]:
                assert words[3] == "prod eu"
            elif words[0] in CONTEXT and words[:2] != ["helm", "repo"]:
                assert f"{CONTEXT[words[0]]}prod eu" in words, fix
            elif words[:2] in (["arcan", "sync"], ["arcan", "doctor"]):
                assert words[words.index("--context") + 1] == "prod eu", fix
            elif words[0] == "bash":
                assert fix.startswith("kubectl config use-context 'prod eu' && "), fix


def test_a_command_that_is_not_there_is_found() -> None:
    with pytest.raises((click.UsageError, AssertionError)):
        assert_ours(["realm", "lsit"])
    with pytest.raises(click.UsageError):
        assert_ours(["doctor", "--conect-to", "127.0.0.1:1"])
