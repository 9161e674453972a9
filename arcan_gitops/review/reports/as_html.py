"""One page, readable without scripts and without any request: the findings, and the picture of who gets what.

The picture goes from recipients to tokens, apps and Kubernetes Secrets, for each environment that anything
changes for: what is new is marked with a plus, what is gone with a minus, and not by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from arcan_gitops.errors import printable
from arcan_gitops.review.change import Change
from arcan_gitops.review.findings import Finding, Kind
from arcan_gitops.review.made import Made
from arcan_gitops.review.readers import name_of, recipients_of
from arcan_gitops.review.review import Review
from arcan_gitops.review.state import State

_MOST: Final = 400  # of anything that is listed
_TITLES: Final = {
    Kind.BROKEN: "Would break",
    Kind.GAIN: "Somebody or something gets more",
    Kind.NOTE: "What else changes",
}
_COLUMNS: Final = ("recipients", "tokens and accounts", "apps", "Kubernetes Secrets")
_STYLE: Final = """\
:root{color-scheme:light dark;--text:#1b1f24;--back:#fff;--soft:#5a636e;--line:#d0d7de;--box:#f6f8fa;\
--broken:#b42318;--gain:#8a4b00;--note:#0a5bb5}
@media(prefers-color-scheme:dark){:root{--text:#e6edf3;--back:#0d1117;--soft:#9aa5b1;--line:#30363d;\
--box:#161b22;--broken:#ff8b80;--gain:#e3b341;--note:#79b8ff}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--back);margin:0 auto;\
padding:1rem;max-width:75rem;overflow-wrap:anywhere}
h1{font-size:1.4rem}h2{font-size:1.15rem;margin-top:2rem}
code{font:0.9em/1.4 ui-monospace,monospace;background:var(--box);padding:0.1em 0.3em;border-radius:4px;\
white-space:pre-wrap}
.soft{color:var(--soft)}
.picture{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,14rem),1fr));gap:0.75rem}
.picture>section{border:1px solid var(--line);border-radius:8px;padding:0.5rem 0.75rem;background:var(--box)}
.picture h4{margin:0 0 0.3rem;font-size:0.9rem;color:var(--soft)}
.picture ul{list-style:none;margin:0;padding:0}
ins{text-decoration:none;color:var(--gain);font-weight:600}del{color:var(--soft)}
li{margin:0.4rem 0}
.broken>summary,.broken h2{color:var(--broken)}.gain h2{color:var(--gain)}.note>summary{color:var(--note)}
summary{cursor:pointer;font-weight:600;font-size:1.15rem}
:focus-visible{outline:3px solid var(--note);outline-offset:2px}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{border:1px solid var(--line);padding:0.3rem 0.5rem;text-align:left;vertical-align:top}
"""


def render(review: Review) -> str:
    """The whole file. It asks for nothing: its policy says so to the browser."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    body = "\n".join(_body(review))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>arcan review</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _text(text: str) -> str:
    return escape(printable(text))


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _body(review: Review) -> Iterator[str]:
    yield f"<main>\n<h1>{_text(review.sentence)}</h1>"
    yield (
        f'<p class="soft">{_code(review.base)} to {_code(review.head)}. '
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
    if found := review.of(Kind.NOTE):
        yield f'<details class="note">\n<summary>{_TITLES[Kind.NOTE]} ({len(found)})</summary>'
        yield f"{_findings(found)}\n</details>"
    yield "</main>"


def _findings(found: Sequence[Finding]) -> str:
    items = [
        f"<li><strong>{finding.rule.id}</strong> {_text(finding.message)}<br>"
        f'<span class="soft">next: </span>{_code(finding.next)}</li>'
        for finding in found[:_MOST]
    ]
    if len(found) > _MOST:
        items.append(f"<li>and {len(found) - _MOST} more</li>")
    return "<ul>\n" + "\n".join(items) + "\n</ul>"


def _pictures(review: Review) -> Iterator[str]:
    """One for each environment that anything changes for."""
    places = _touched(review)
    if places:
        yield "<h2>Who gets what, before and after</h2>"
    for realm, environment in places[:_MOST]:
        yield f"<h3>{_text(f'{realm}/{environment}')}</h3>\n" + '<div class="picture">'
        change = review.change
        before = _columns(change, change.base, realm, environment)
        after = _columns(change, change.head, realm, environment)
        for title, old, new in zip(_COLUMNS, before, after, strict=True):
            yield f"<section><h4>{title}</h4>\n<ul>"
            yield from _marked(old, new)
            yield "</ul></section>"
        yield "</div>"


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
    was, now = list(dict.fromkeys(old)), list(dict.fromkeys(new))
    for name in now:
        text = _text(name)
        yield f"<li>{text}</li>" if name in was else f"<li><ins>+ {text}</ins></li>"
    for name in was:
        if name not in now:
            yield f"<li><del>\u2212 {_text(name)}</del></li>"
    if not was and not now:
        yield '<li class="soft">none</li>'


def _table(review: Review) -> Iterator[str]:
    yield '<div class="wide" tabindex="0" role="region" aria-label="Keys">\n<table>\n<thead><tr>'
    yield "<th>key</th><th>what</th><th>goes to</th><th>unchanged in</th></tr></thead>\n<tbody>"
    for each in review.keys[:_MOST]:
        former = f"{each.old} \u2192 " if each.old else ""
        secrets = ", ".join(f"{made.place} on {made.place.cluster}" for made in each.secrets) or "no app"
        yield (
            f"<tr><td>{_code(f'{each.place} {former}{each.key}')}</td><td>{each.what}</td>"
            f"<td>{_text(secrets)}</td><td>{_text(', '.join(each.same_in))}</td></tr>"
        )
    yield "</tbody>\n</table>\n</div>"
