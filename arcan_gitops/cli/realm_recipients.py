"""`arcan realm recipients`: who can read what, as a table or as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from arcan_gitops.cli.options import format_option, realms_option
from arcan_gitops.cli.output import say, say_error, say_hint
from arcan_gitops.cli.realm_options import optional_realm_argument
from arcan_gitops.cli.sops_configuration import warn_of_ignored
from arcan_gitops.demo import DEMO_RECIPIENT
from arcan_gitops.errors import printable
from arcan_gitops.names import RealmName
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.recipients import Access, AccessReport, access
from arcan_gitops.realms.sops_config import CONFIG_FILE, recipient_id
from arcan_gitops.sops.data_key import short_recipient

_DEMO: Final = "demo identity, which everybody has"
_LEGEND: Final = {
    "x": "can read it",
    "-": f"cannot read it, and {CONFIG_FILE} says that it should",
    "+": f"can read it, and {CONFIG_FILE} does not name it",
}


@click.command()
@optional_realm_argument
@click.option("--check", is_flag=True, help=f"Exit with 1 where a document differs from {CONFIG_FILE}.")
@format_option(("text", "json"), old="--json", help="A table for people, or JSON.")
@realms_option
def recipients(realm: RealmName | None, check: bool, style: str, realms: Path) -> None:
    """Show who can read what; no identity needed.

    Prints one line for each environment and one column for each recipient, and the differences from
    .sops.yaml, which is in the folder of the realms or the one above it; of key files, also a line for each
    that differs from most of its environment. Recipients have the names that .sops.yaml gives them: an
    anchor (- &alice age1...), or a comment beside or above.
    """
    warn_of_ignored(realms)
    report = access(RealmTree(realms), realm)
    names = {**(report.config.names if report.config else {}), recipient_id(DEMO_RECIPIENT): _DEMO}
    if style == "json":
        click.echo(json.dumps(_plain(report, names), indent=2))
    else:
        for line in (*_recipient_lines(report, names), "", *_table(report), *_legend(report)):
            click.echo(printable(line))
    for problem in report.problems:
        say_error(problem, label="")
    _say_drift(report, realm)
    if report.problems or (check and (report.config is None or _differing(report))):
        raise click.exceptions.Exit(1)


def _differing(report: AccessReport) -> list[Access]:
    return [each for each in report.documents if each.problem is not None]


def _say_drift(report: AccessReport, realm: RealmName | None) -> None:
    if report.config is None:
        say(f"there is no {CONFIG_FILE} beside or above the realms to compare the recipients with")
        return
    differing = _differing(report)
    count = len(report.documents)
    if not differing:
        say(f"{count} document(s), all of them as {report.config.path} says")
        return
    say(f"{len(differing)} of {count} document(s) are not as {report.config.path} says")
    if any(each.drift for each in differing):
        say(f"hint: 'arcan realm updatekeys {realm or '--all'} --dry-run' shows what would mend that")
    without_rule = [each.problem for each in differing if each.drift is None and each.problem is not None]
    if without_rule:
        say_hint(without_rule[0])


def _everybody(report: AccessReport) -> tuple[str, ...]:
    """The recipients, and types of keys that are not age, in the order of `.sops.yaml` and then as found."""
    ruled = () if report.config is None else report.config.rules
    known = dict.fromkeys(recipient_id(name) for rule in ruled for name in rule.age)
    shown: dict[str, None] = {}
    for each in report.documents:
        shown |= dict.fromkeys(_held(each))
        if each.drift is not None:
            shown |= dict.fromkeys(each.drift.lacking)
    return (*(name for name in known if name in shown), *(name for name in shown if name not in known))


def _held(each: Access) -> tuple[str, ...]:
    return tuple(recipient_id(name) for group in each.groups for name in group)


def _recipient_lines(report: AccessReport, names: Mapping[str, str]) -> list[str]:
    everybody = _everybody(report)
    known = [names.get(name, "") for name in everybody]
    widths = len(str(len(everybody))), max(map(len, known), default=0)
    return [
        f"{number:>{widths[0]}}  {name.ljust(widths[1])}{'  ' if widths[1] else ''}{_key(recipient)}".rstrip()
        for number, (name, recipient) in enumerate(zip(known, everybody, strict=True), start=1)
    ]


def _key(recipient: str) -> str:
    """A recipient, or the type of a key that is not age."""
    is_age = recipient.startswith(("age1", "ssh-"))
    return short_recipient(recipient) if is_age else f"keys of the type {recipient}"


def _table(report: AccessReport) -> list[str]:
    everybody = _everybody(report)
    header = ["REALM", "ENVIRONMENT", *(str(number) for number in range(1, len(everybody) + 1)), ""]
    rows = [header]
    for environment, each in _lines(report.documents):
        cells = [_cell(each, recipient) for recipient in everybody]
        rows.append([each.document.realm, environment, *cells, _note(each)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _lines(documents: Sequence[Access]) -> Iterator[tuple[str, Access]]:
    """What is shown of the documents: all, but of key files one for those that are as most of their
    environment are.
    """
    by_place: dict[str, list[Access]] = {}
    for each in documents:
        by_place.setdefault(each.document.place, []).append(each)
    for files in by_place.values():
        if files[0].document.key is None:
            yield files[0].document.environment, files[0]
            continue
        many = Counter(map(_access, files))
        most, count = many.most_common(1)[0]
        first = next(each for each in files if _access(each) == most)
        yield f"{first.document.environment} ({count} key files)", first
        for each in files:
            if _access(each) != most:
                yield f"{each.document.environment}/{each.document.key}", each


def _access(each: Access) -> tuple[object, ...]:
    groups = tuple(frozenset(map(recipient_id, group)) for group in each.groups)
    return groups, each.needed, each.drift, each.problem is None


def _cell(each: Access, recipient: str) -> str:
    if each.drift is not None and recipient in each.drift.lacking:
        return "-"
    if recipient not in _held(each):
        return "."
    letters = "x"
    if len(each.groups) > 1:
        letters = ",".join(
            _letter(at)
            for at, group in enumerate(each.groups)
            if recipient in {recipient_id(name) for name in group}
        )
    return letters + ("+" if each.drift is not None and recipient in each.drift.surplus else "")


def _letter(at: int) -> str:
    return chr(ord("a") + at) if at < 26 else str(at + 1)


def _note(each: Access) -> str:
    notes = []
    if len(each.groups) > 1:
        groups = ", ".join(_letter(at) for at in range(len(each.groups)))
        notes.append(f"{each.needed} of the groups {groups} together")
    if each.drift is not None:
        notes += [text for text in (each.drift.grouping, each.drift.threshold) if text]
    elif each.problem is not None:
        notes.append(f"no rule of {CONFIG_FILE} is for it")
    return "; ".join(notes)


def _legend(report: AccessReport) -> list[str]:
    cells = {_cell(each, recipient) for each in report.documents for recipient in _everybody(report)}
    used = [mark for mark in _LEGEND if any(mark in cell for cell in cells)]
    return ["", *(f"{mark}  {_LEGEND[mark]}" for mark in used)] if set(used) - {"x"} else []


def _plain(report: AccessReport, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "config": None if report.config is None else str(report.config.path),
        "recipients": [
            {"recipient": recipient, "name": names.get(recipient)} for recipient in _everybody(report)
        ],
        "documents": [
            {
                "realm": each.document.realm,
                "environment": each.document.environment,
                **({} if each.document.key is None else {"key": each.document.key}),
                "path": str(each.document.path),
                "groups": [[recipient_id(name) for name in group] for group in each.groups],
                "groupsNeeded": each.needed,
                "lacking": [] if each.drift is None else list(each.drift.lacking),
                "surplus": [] if each.drift is None else list(each.drift.surplus),
                "problem": None if each.problem is None else each.problem.message,
            }
            for each in report.documents
        ],
        "problems": [problem.message for problem in report.problems],
    }
