"""`arcan realm create ... --like`: the keys of another environment, each copied, made anew, or asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, TypeVar

import click

from arcan_gitops.cli.in_use import at_a_terminal
from arcan_gitops.cli.realm_options import ENVIRONMENT
from arcan_gitops.cli.secret_target import Target
from arcan_gitops.cli.secret_value import read_value
from arcan_gitops.errors import ArcanError, SeveralErrors, some
from arcan_gitops.names import EnvironmentName, KeyName, did_you_mean
from arcan_gitops.realms.environment import keys_of
from arcan_gitops.realms.generating import KINDS

_F = TypeVar("_F", bound=Callable[..., Any])
_WAYS: Final = ("copy", "generate", "ask")


@dataclass(frozen=True, slots=True)
class Ways:
    """Key names and globs, as they were given: `*`, `SMTP_*`, `DATABASE_URL`."""

    copy: tuple[str, ...]
    generate: tuple[str, ...]
    ask: tuple[str, ...]

    def of(self, way: str) -> tuple[str, ...]:
        """Those of one way."""
        given: tuple[str, ...] = getattr(self, way)
        return given


def like_options(command: _F) -> _F:
    """`--like`, `--copy`, `--generate` and `--ask`."""

    def way(name: str, what: str, **options: Any) -> Callable[[_F], _F]:
        help = f"{what}; repeatable."
        return click.option(f"--{name}", metavar="KEY", multiple=True, help=help, **options)

    command = way("ask", "With --like: a key or glob whose value is asked for")(command)
    command = way(
        "generate",
        "A random password: for --key, or with --like for a key or glob",
        is_flag=False,
        flag_value="*",
    )(command)
    command = way("copy", "With --like: a key or glob whose value is that of the other environment")(command)
    return click.option(
        "--like", type=ENVIRONMENT, help="Take the keys of another environment of the realm."
    )(command)


def plan_keys(target: Target, ways: Ways) -> Mapping[KeyName, str]:
    """Each key of the environment, in its order, and how it gets its value: `copy`, `generate` or `ask`.

    A key that is named counts before a glob. No identity is needed. Raises `ArcanError` for the document, and
    `SeveralErrors` with every key that has no way or several, and every glob without a match.
    """
    names = [KeyName.parse(name) for name in keys_of(target.tree, target.realm, target.environment)]
    problems: list[ArcanError] = []
    for way in _WAYS:
        for glob in ways.of(way):
            if not any(fnmatchcase(name, glob) for name in names):
                problem = f"--{way} '{glob}' matches no key of {target.realm}/{target.environment}"
                problems.append(ArcanError(problem, hint=did_you_mean(glob, names)))
    chosen: dict[KeyName, str] = {}
    undecided: list[str] = []
    for name in names:
        exact = [way for way in _WAYS if name in ways.of(way)]
        globs = [way for way in _WAYS if any(fnmatchcase(name, glob) for glob in ways.of(way))]
        found = exact or globs
        if not found:
            undecided.append(name)
        elif len(found) > 1:
            both = " and ".join(f"--{way}" for way in found)
            problems.append(ArcanError(f"key '{name}': {both} both match it", hint=f"name it: --ask {name}"))
        else:
            chosen[name] = found[0]
    if undecided:
        problems.append(
            ArcanError(
                f"nothing says what becomes of {some(undecided, 20)}",
                hint="of each, by name or glob: --copy, --generate or --ask; all the others: --ask '*'",
            )
        )
    if "ask" in chosen.values() and not at_a_terminal():
        asked = [name for name, way in chosen.items() if way == "ask"]
        problems.append(
            ArcanError(
                f"there is no terminal to ask for {some(asked, 20)}",
                hint="run it at one; or leave them out here: '--import FILE' takes keys and values of a file",
            )
        )
    if problems:
        raise SeveralErrors("these keys cannot be taken over:", problems)
    return chosen


def values_like(target: Target, chosen: Mapping[KeyName, str]) -> dict[str, Any]:
    """The values. The other document is opened only where something is copied.

    Raises as `Target.open`, `OpenDocument.load` and `read_value` do.
    """
    copied: Mapping[str, Any] = {}
    if "copy" in chosen.values():
        copied = target.open().edit().tree
    password = KINDS["password"]
    values: dict[str, Any] = {}
    for name, way in chosen.items():
        if way == "copy":
            values[name] = copied[name]
        elif way == "generate":
            values[name] = password.generate(password.length)
        else:
            values[name] = read_value(name, False, None, False)
    return values


def summary(chosen: Mapping[KeyName, str], like: EnvironmentName) -> Sequence[str]:
    """For people: which keys came from where, without a value."""
    texts = {"copy": f"copied from {like}", "generate": "generated", "ask": "asked for"}
    return [
        f"{texts[way]}: {some([name for name, chose in chosen.items() if chose == way], 20)}"
        for way in _WAYS
        if way in chosen.values()
    ]
