"""A page of HTML: one file without a script, that asks for nothing. What its reports have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from arcan_gitops.errors import printable

MOST: Final = 400  # of anything that is listed
_SHOWN: Final = 12  # of a column, before the rest is folded
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
.picture section>*:first-child{margin:0 0 0.3rem;font-size:0.9rem;color:var(--soft)}
.picture ul{list-style:none;margin:0;padding:0}
ins{text-decoration:none;color:var(--gain);font-weight:600}del{color:var(--soft)}
li{margin:0.4rem 0}
.broken>summary,.broken h2{color:var(--broken)}.gain h2{color:var(--gain)}.note>summary{color:var(--note)}
summary{cursor:pointer;font-weight:600;font-size:1.15rem}.picture summary{font-size:0.9rem}
:focus-visible{outline:3px solid var(--note);outline-offset:2px}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{border:1px solid var(--line);padding:0.3rem 0.5rem;text-align:left;vertical-align:top;\
overflow-wrap:normal}td{min-width:7rem}td code{white-space:pre}
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def document(title: str, body: Iterable[str]) -> str:
    """The whole file; its policy says to the browser that it asks for nothing."""
    parts = "\n".join(body)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<main>\n{parts}\n</main>\n"
        "</body>\n</html>\n"
    )


def text(plain: str) -> str:
    """As text, whatever it holds."""
    return escape(printable(plain))


def code(plain: str) -> str:
    """The same, set as a command or a name."""
    return f"<code>{text(plain)}</code>"


def picture(columns: Iterable[tuple[str, Iterable[str]]], level: int = 4) -> Iterator[str]:
    """Columns from left to right, each a title, a heading of that level, and items, which are HTML. Long
    ones are folded.
    """
    yield '<div class="picture">'
    for title, items in columns:
        yield f"<section><h{level}>{text(title)}</h{level}>"
        yield from _column([f"<li>{item}</li>" for item in items])
        yield "</section>"
    yield "</div>"


def _column(items: list[str]) -> Iterator[str]:
    if not items:
        items = ['<li class="soft">none</li>']
    yield "<ul>\n" + "\n".join(items[:_SHOWN]) + "\n</ul>"
    rest = items[_SHOWN:MOST]
    if not rest:
        return
    yield f"<details><summary>and {len(items) - _SHOWN} more</summary>\n<ul>" + "\n".join(rest) + "</ul>"
    if len(items) > MOST:
        yield f"<p>{len(items) - MOST} of them are not shown.</p>"
    yield "</details>"
