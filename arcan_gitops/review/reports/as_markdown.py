"""The comment on a pull request: the sentence, what breaks, gains, a table of keys, and the rest folded.

Everything that comes from the branch stands in code spans, on one line, and is bounded: no name is a
mention, a link, a tag or a table of its own. Each line ends in a command. The whole is below what GitHub
takes for one comment.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Final

from arcan_gitops.errors import printable, some
from arcan_gitops.explanations import command
from arcan_gitops.review.findings import Finding, Kind
from arcan_gitops.review.review import Review

MAX_CHARACTERS: Final = 65_536
MARK: Final = "<!-- arcan review -->"  # by which the workflow finds its own comment again
_MOST: Final = 400  # characters of one message
_LINES: Final = {Kind.BROKEN: 40, Kind.GAIN: 40, Kind.NOTE: 40}
_KEYS: Final = 60
_SECRETS: Final = 60
_TITLES: Final = {Kind.BROKEN: "Would break", Kind.GAIN: "Somebody or something gets more"}


def render(review: Review) -> str:
    """The whole comment. Raises nothing: what is too long is cut, and says so."""
    parts = [MARK, f"**{_plain(review.sentence)}**", ""]
    for kind in (Kind.BROKEN, Kind.GAIN):
        if mine := review.of(kind):
            parts += [f"### {_TITLES[kind]}", "", *_list(mine, _LINES[kind]), ""]
    if review.keys:
        parts += ["### Keys", "", *_table(review), ""]
    if review.secrets:
        parts += ["<details><summary>Kubernetes Secrets, once it is merged</summary>", ""]
        parts += [*_secrets(review), "", "</details>", ""]
    if notes := review.of(Kind.NOTE):
        parts += ["<details><summary>What else changes</summary>", "", *_list(notes, _LINES[Kind.NOTE]), ""]
        parts += ["</details>", ""]
    parts += [
        f"`arcan review` of {code(review.base)} to {code(review.head)}; no key was used, no value is "
        f"shown. What an id means: `{command('ID')}`."
    ]
    text = "\n".join(parts) + "\n"
    if len(text) < MAX_CHARACTERS:
        return text
    cut = text[: MAX_CHARACTERS - 400].rpartition("\n")[0]
    lines = cut.splitlines()  # no line of a finding begins so
    is_open = sum(line.startswith("<details>") for line in lines) > lines.count("</details>")
    folded = "\n\n</details>" if is_open else ""
    return f"{cut}{folded}\n\nThe rest is too long for a comment: run `arcan review`.\n"


def code(text: str, most: int = _MOST, *, in_table: bool = False) -> str:
    """A text from the branch as a code span, whatever it holds (CommonMark 6.1; GFM, tables)."""
    line = printable(text)
    line = line if len(line) <= most else f"{line[: most - 3]}..."
    if in_table:  # a bar ends a cell even inside a code span, and a backslash before it does not stay
        line = line.replace("\\", "/").replace("|", "\\|")
    ticks = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line.strip() else ""
    return f"{ticks}{pad}{line or ' '}{pad}{ticks}"


def _plain(text: str) -> str:
    """A sentence of our own, in which names are of a grammar of ours; what is none is shown as a code
    span.
    """
    return text if re.fullmatch(r"[A-Za-z0-9 ,;./_-]{1,400}", text) else code(text)


def _list(findings: Iterable[Finding], most: int) -> list[str]:
    found = list(findings)
    lines = [
        f"- {finding.rule.id} {code(finding.message)}<br>next: {code(finding.next)}; "
        f"{code(command(finding.rule.id))}"
        for finding in found[:most]
    ]
    if len(found) > most:
        lines.append(f"- and {len(found) - most} more: `arcan review`")
    return lines


def _table(review: Review) -> list[str]:
    lines = ["| key | what | goes to | unchanged in | who can read it |", "|---|---|---|---|---|"]
    for each in review.keys[:_KEYS]:
        secrets = some([f"{made.place} on {made.place.cluster}" for made in each.secrets], 3) or "no app"
        name = f"{each.place} {each.old + ' -> ' if each.old else ''}{each.key}"
        same = some(list(each.same_in), 4)
        who = f"arcan who-can-read {each.realm} {shlex.quote(each.key)} --env {each.environment}"
        lines.append(f"| {_cell(name)} | {each.what} | {_cell(secrets)} | {_cell(same)} | {_cell(who)} |")
    if len(review.keys) > _KEYS:
        lines.append(f"| and {len(review.keys) - _KEYS} more | | | | `arcan review` |")
    return lines


def _secrets(review: Review) -> list[str]:
    lines = ["| Secret | cluster | app | becomes |", "|---|---|---|---|"]
    for each in review.secrets[:_SECRETS]:
        cells = (str(each.place), each.place.cluster, each.app)
        why = f": {_cell(each.why)}" if each.why else ""
        lines.append(f"| {' | '.join(map(_cell, cells))} | {each.fate}{why} |")
    if len(review.secrets) > _SECRETS:
        lines.append(f"| and {len(review.secrets) - _SECRETS} more | | | |")
    return lines


def _cell(text: str) -> str:
    return code(text, 200, in_table=True) if text else ""
