"""`arcan who-can-read` as a page: for each environment the picture of who and what gets which keys, and where
they go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from arcan_gitops.access import format_time
from arcan_gitops.errors import counted, some
from arcan_gitops.review.made import Made
from arcan_gitops.review.page import MOST, code, document, picture, text
from arcan_gitops.review.readers import Caller
from arcan_gitops.review.who import Access, Person

_KEYS = 6  # names of keys in one item


def as_html(found: Sequence[Access], now: datetime) -> str:
    """The whole file."""
    first = found[0]
    what = f"{first.realm} {first.key}" if first.key is not None else first.realm
    return document(f"Who can read {what}?", _body(found, what, now))


def _body(found: Sequence[Access], what: str, now: datetime) -> Iterator[str]:
    yield f"<h1>Who can read {text(what)}?</h1>"
    yield (
        f'<p class="soft">As Git has it, on {text(now.date().isoformat())}. No key was used, and no value is '
        "shown. From left to right: who and what opens the keys, the apps that take them, and the Kubernetes "
        "Secrets that they become.</p>"
    )
    for access in found[:MOST]:
        yield from _access(access, now)
    if len(found) > MOST:
        yield f"<p>and {counted(len(found) - MOST, 'environment')} more</p>"


def _access(access: Access, now: datetime) -> Iterator[str]:
    yield f"<h2>{text(f'{access.realm}/{access.environment}')}</h2>"
    if access.needed > 1:
        yield f"<p>{access.needed} key groups of recipients have to open it together.</p>"
    one = access.key is not None
    yield from picture(
        level=3,
        columns=(
            ("recipients", (_person(person) for person in access.people)),
            ("tokens and accounts", (_caller(caller, now, one=one) for caller in access.callers)),
            ("\u2192 keys", (code(key) for key in access.keys)),
            (
                "\u2192 apps",
                (_app(access, name) for name in dict.fromkeys(made.app for made in access.secrets)),
            ),
            ("\u2192 Kubernetes Secrets", (_secret(made) for made in access.secrets)),
        ),
    )
    if access.former:
        label = text(f"Who could read {access.realm}/{access.environment} once")
        yield "<h3>Could once, and may know the value still</h3>"
        yield f'<div class="wide" tabindex="0" role="region" aria-label="{label}">\n<table>'
        titles = ("who", "keys", "until after", "the value since")
        yield f"<thead><tr>{''.join(f'<th>{title}</th>' for title in titles)}</tr></thead>\n<tbody>"
        yield from _former(access)
        yield "</tbody>\n</table>\n</div>"


def _person(person: Person) -> str:
    return text(person.name) + ("" if person.keys is None else f": {text(some(person.keys, _KEYS))}")


def _caller(caller: Caller, now: datetime, *, one: bool) -> str:
    keys, parts = caller.scope.keys, [text(str(caller))]
    if not one and keys is not None:
        parts.append(f": {text(some(list(keys), _KEYS))}")
    if caller.ended(now):
        parts.append(" <strong>(ended)</strong>")
    elif caller.expires is not None:
        parts.append(f' <span class="soft">until {text(format_time(caller.expires))}</span>')
    return "".join(parts)


def _app(access: Access, name: str) -> str:
    """With the keys that it takes of those that were asked about."""
    mine = [made for made in access.secrets if made.app == name]
    if any(made.keys is None for made in mine):
        return f"{text(name)}: every key"
    taken = {key for made in mine for key in (made.keys or {}).values()}
    return f"{text(name)}: {text(some([key for key in access.keys if key in taken], _KEYS))}"


def _secret(made: Made) -> str:
    where = f"{text(str(made.place))} on {text(made.place.cluster)}"
    return f'{where} <span class="soft">by {text(made.reads)}</span>'


def _former(access: Access) -> Iterator[str]:
    for each, name in list(zip(access.former, access.former_names, strict=True))[:MOST]:
        since = "is the same" if each.certain else "was encrypted anew: only the key tells if it changed"
        cells = (text(f"{each.kind} {name}"), text(some(each.keys, _KEYS)), code(each.until.id[:12]), since)
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
