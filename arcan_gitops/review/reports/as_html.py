"""One page, readable without scripts and without any request: the findings, and the picture of who gets what.

The picture goes from recipients to tokens, apps and Kubernetes Secrets, for each environment that anything
changes for: what is new is marked with a plus, what is gone with a minus, and not by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from arcan_gitops.review.change import Change
from arcan_gitops.review.findings import Finding, Kind
from arcan_gitops.review.made import Made
from arcan_gitops.review.page import MOST, code, document, picture, text
from arcan_gitops.review.readers import name_of, recipients_of
from arcan_gitops.review.review import Review
from arcan_gitops.review.state import State

_TITLES: Final = {
    Kind.BROKEN: "Would break",
    Kind.GAIN: "Somebody or something gets more",
    Kind.NOTE: "What else changes",
}
_COLUMNS: Final = ("recipients", "tokens and accounts", "apps", "Kubernetes Secrets")


def render(review: Review) -> str:
    """The whole file. It asks for nothing: its policy says so to the browser."""
    return document("arcan review", _body(review))


def _body(review: Review) -> Iterator[str]:
    yield f"<h1>{text(review.sentence)}</h1>"
    yield (
        f'<p class="soft">{code(review.base)} to {code(review.head)}. '
        "No key was used, and no value is shown. "
        "<ins>+ comes with this branch</ins>, <del>\u2212 goes with it</del>.</p>"
    )
    for kind in (Kind.BROKEN, Kind.GAIN):
        if found := review.of(kind):
            yield f'<section class="{kind}">\n<h2>{_TITLES[kind]} ({len(found)})</h2>'
            yield f"{_findings(found)}\n</section>"
    yield from _pictures(review)
    if review.keys:
        yield "<h2>Keys</h2>"
        yield from _table(review)
    if review.secrets:
        yield "<h2>Kubernetes Secrets, once it is merged</h2>"
        yield from _secrets(review)
    if found := review.of(Kind.NOTE):
        yield f'<details class="note">\n<summary>{_TITLES[Kind.NOTE]} ({len(found)})</summary>'
        yield f"{_findings(found)}\n</details>"


def _findings(found: Sequence[Finding]) -> str:
    items = [
        f"<li><strong>{finding.rule.id}</strong> {text(finding.message)}<br>"
        f'<span class="soft">next: </span>{code(finding.next)}</li>'
        for finding in found[:MOST]
    ]
    if len(found) > MOST:
        items.append(f"<li>and {len(found) - MOST} more</li>")
    return "<ul>\n" + "\n".join(items) + "\n</ul>"


def _pictures(review: Review) -> Iterator[str]:
    """One for each environment that anything changes for."""
    places = _touched(review)
    if places:
        yield "<h2>Who gets what, before and after</h2>"
    for realm, environment in places[:MOST]:
        yield f"<h3>{text(f'{realm}/{environment}')}</h3>"
        change = review.change
        before = _columns(change, change.base, realm, environment)
        after = _columns(change, change.head, realm, environment)
        yield from picture(
            (title, _marked(old, new)) for title, old, new in zip(_COLUMNS, before, after, strict=True)
        )


def _touched(review: Review) -> list[tuple[str, str]]:
    change = review.change
    found = {(each.realm, each.environment) for each in review.keys}
    found |= {(each.place.realm, each.place.environment) for each in change.documents}
    for place in change.environments():
        if _columns(change, change.base, *place) != _columns(change, change.head, *place):
            found.add(place)
    return sorted(found)


def _columns(change: Change, state: State, realm: str, environment: str) -> tuple[tuple[str, ...], ...]:
    is_head = state is change.head
    callers = change.callers_after if is_head else change.callers_before
    made = change.made_after if is_head else change.made_before
    mine = [each for each in made if (each.realm, each.environment) == (realm, environment)]
    people = [name_of(name, change.base, change.head) for name in recipients_of(state, realm, environment)]
    keys = state.keys(realm, environment)
    reading = sorted(
        str(caller)
        for caller in callers.values()
        if caller.realm == realm and any(caller.reads(environment, key) for key in keys)
    )
    apps = sorted({f"{each.app}: {_taken(each)}" for each in mine})
    secrets = sorted({f"{each.place} on {each.place.cluster}" for each in mine})
    return tuple(people), tuple(reading), tuple(apps), tuple(secrets)


def _taken(made: Made) -> str:
    return "every key" if made.keys is None else ", ".join(sorted(made.keys.values()))


def _marked(old: Iterable[str], new: Iterable[str]) -> Iterator[str]:
    """What changes comes first, so that nothing of it is folded away."""
    was, now = list(dict.fromkeys(old)), list(dict.fromkeys(new))
    yield from (f"<ins>+ {text(name)}</ins>" for name in now if name not in was)
    yield from (f"<del>\u2212 {text(name)}</del>" for name in was if name not in now)
    yield from (text(name) for name in now if name in was)


def _table(review: Review) -> Iterator[str]:
    yield '<div class="wide" tabindex="0" role="region" aria-label="Keys">\n<table>\n<thead><tr>'
    yield "<th>key</th><th>what</th><th>goes to</th><th>unchanged in</th></tr></thead>\n<tbody>"
    for each in review.keys[:MOST]:
        former = f"{each.old} \u2192 " if each.old else ""
        secrets = ", ".join(f"{made.place} on {made.place.cluster}" for made in each.secrets) or "no app"
        yield (
            f"<tr><td>{code(f'{each.place} {former}{each.key}')}</td><td>{each.what}</td>"
            f"<td>{text(secrets)}</td><td>{text(', '.join(each.same_in))}</td></tr>"
        )
    yield "</tbody>\n</table>\n</div>"


def _secrets(review: Review) -> Iterator[str]:
    yield '<div class="wide" tabindex="0" role="region" aria-label="Kubernetes Secrets">\n<table>'
    yield "<thead><tr><th>Secret</th><th>cluster</th><th>app</th><th>becomes</th></tr></thead>\n<tbody>"
    for each in review.secrets[:MOST]:
        becomes = f"{each.fate}: {each.why}" if each.why else str(each.fate)
        cells = (str(each.place), each.place.cluster, each.app)
        named = "".join(f"<td>{code(cell)}</td>" for cell in cells)
        yield f"<tr>{named}<td>{text(becomes)}</td></tr>"
    yield "</tbody>\n</table>\n</div>"
