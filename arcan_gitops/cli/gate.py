"""`arcan gate`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from arcan_gitops.cli.environment import for_other_programs
from arcan_gitops.cli.identities import held_identities, identity_options
from arcan_gitops.cli.options import format_option
from arcan_gitops.cli.output import say, show, show_finding
from arcan_gitops.cli.root import REALMS, at_root
from arcan_gitops.cli.sops_binary import document_opener, sops_binary_options
from arcan_gitops.errors import ArcanError, counted, some
from arcan_gitops.git import Git
from arcan_gitops.realms import Demands, RealmTree, Repository, Selection, Snapshot
from arcan_gitops.realms.opening import Opener
from arcan_gitops.review.export import exported
from arcan_gitops.review.gate import InClear, PlaceChange, compare, in_clear, wrong_kinds
from arcan_gitops.review.objects import Objects
from arcan_gitops.sops import Identities

_MOST: Final = 20  # names in one line
_CHANGE: Final = "Git keeps what was once in it: change the value, do not only delete the line:"


@click.command()
@click.argument("base", required=False)
@click.argument("head", required=False)
@click.option(
    "--select",
    multiple=True,
    metavar="REALM[/ENV]",
    help="What to open; globs are allowed. Repeatable.  [default: everything]",
)
@click.option(
    "--binding",
    type=click.Choice(("optional", "required")),
    default="optional",
    show_default=True,
    help="Whether a document must be bound to its place, as 'arcan serve' has it.",
)
@format_option(("text", "json"), old=None)
@identity_options
@sops_binary_options
def gate(
    base: str | None,
    head: str | None,
    select: tuple[str, ...],
    binding: str,
    style: str,
    identity_file: tuple[Path, ...],
    passphrase_file: Path | None,
    sops_binary: str | None,
    allow_key_type: tuple[str, ...],
    allow_key_address: tuple[str, ...],
) -> None:
    """Say what only the key can tell of a change, before it is served.

    Opens every document of the selection as the server does, and holds its values to the kinds of realm.yaml.
    Names the keys whose value changed, and those that were only encrypted anew, as a rotation does it. Finds
    values that stand in clear anywhere in the tree.

    HEAD is a commit (default: the working tree); it is compared with where it left BASE (default: the
    default branch). Run it on what was merged, where the key may be: in a protected environment, on a
    runner of your own. No value is shown; but what is said of values is for holders of the key, and
    no comment on a pull request. Exit status 1 where something does not open, is not of its kind, or stands
    in clear.
    """
    objects = Objects(Git.of(at_root("."), for_other_programs()))
    start, _, new = objects.ends(base, head)
    opener = document_opener(sops_binary, allow_key_type, allow_key_address)
    identities = held_identities(identity_file, passphrase_file, required=opener.binary is None)
    opening = _Opening(Selection.parse(select), Demands(binding == "required"), identities, opener.load)
    with ExitStack() as stack:
        if head is not None:
            realms = stack.enter_context(exported(objects, new, (f"{REALMS}/",))) / REALMS
        else:
            realms = at_root(".") / REALMS
        after, problems = opening.whole(realms)
        before_realms = stack.enter_context(exported(objects, objects.tree(start), (f"{REALMS}/",))) / REALMS
        report = _Report(
            compare(opening.sound(before_realms), after), tuple(in_clear(after, objects, new)), problems
        )
    report.print_json() if style == "json" else report.print_text()
    if report.problems or report.in_clear:
        raise click.exceptions.Exit(1)


class _Opening:
    """Opens realms as a server with these options would."""

    def __init__(
        self, selection: Selection, demands: Demands, identities: Identities, opener: Opener
    ) -> None:
        self._arguments = (identities, selection, demands, opener)

    def whole(self, realms: Path) -> tuple[Snapshot, list[ArcanError]]:
        """What is sound, and all that is not. Raises `SeveralErrors` where nothing is."""
        tree = RealmTree(realms)
        loaded = Repository(tree, *self._arguments).start_sound()
        wrong = [*loaded.problems, *loaded.findings, *wrong_kinds(loaded.snapshot, tree)]
        return loaded.snapshot, [_without(realms, error) for error in wrong]

    def sound(self, realms: Path) -> Snapshot | None:
        """What is sound, or None where nothing is."""
        try:
            return Repository(RealmTree(realms), *self._arguments).start_sound().snapshot
        except ArcanError:
            return None


def _without(realms: Path, error: ArcanError) -> ArcanError:
    """With the paths of the repository, and not of where its files were looked at."""
    prefix = f"{realms.parent}/"
    return ArcanError(error.message.replace(prefix, ""), hint=(error.hint or "").replace(prefix, "") or None)


@dataclass(frozen=True, slots=True)
class _Report:
    places: tuple[PlaceChange, ...]
    in_clear: tuple[InClear, ...]
    problems: list[ArcanError]

    def print_text(self) -> None:
        for place in self.places:
            click.echo(f"{place.realm}/{place.environment}: verified, {counted(place.keys, 'key')}")
            for line in _lines(place):
                show(f"  {line}")
        for problem in self.problems:
            show_finding(problem)
        for found in self.in_clear:
            show(f"{found.path}:{found.line}: has the value of {_name(found)} in clear")
            show(f"  hint: {_CHANGE} arcan secret set {found.realm} {found.key} --env {found.environment}")
        changed = sum(len(place.changed) + len(place.added) for place in self.places if place.known_before)
        say(
            f"{counted(len(self.places), 'environment')} verified, "
            f"{counted(changed, 'value')} new or changed, "
            f"{len(self.in_clear)} in clear, {counted(len(self.problems), 'problem')}"
        )

    def print_json(self) -> None:
        places = [
            {
                "realm": place.realm,
                "environment": place.environment,
                "keys": place.keys,
                "knownBefore": place.known_before,
                "newDataKey": place.rotated,
                "added": place.added if place.known_before else (),
                "gone": place.gone,
                "changed": place.changed,
                "encryptedAnew": place.anew,
                "empty": place.empty,
                "equal": place.equal,
            }
            for place in self.places
        ]
        clear = [
            {
                "path": each.path,
                "line": each.line,
                "realm": each.realm,
                "environment": each.environment,
                "key": each.key,
            }
            for each in self.in_clear
        ]
        problems = [{"message": each.message, "hint": each.hint} for each in self.problems]
        click.echo(json.dumps({"places": places, "inClear": clear, "problems": problems}, indent=2))


def _lines(place: PlaceChange) -> Iterator[str]:
    """What became of its values."""
    if not place.known_before:
        yield "what changed is not known: it was not there before, or does not open"
        return
    if place.rotated and not place.changed:
        yield "it has a new data key, and every value that was there before is the same"
    elif place.rotated:
        keys = counted(len(place.changed), "key")
        yield f"it has a new data key, and {keys} with another value: no plain rotation"
    for names, what in (
        (place.changed, "the value changed"),
        (place.added, "new"),
        (place.gone, "gone"),
        (place.anew if not place.rotated else (), "encrypted anew, the same value"),
        (place.empty, "empty"),
    ):
        if names:
            yield f"{what}: {some(names, _MOST)}"
    for key, others in place.equal.items():
        yield f"{key}: has the same value in {some(others, _MOST)}"


def _name(found: InClear) -> str:
    return f"{found.realm}/{found.environment}/{found.key}"
