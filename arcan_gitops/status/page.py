"""The status as a page of HTML: one file, no script, and nothing that is asked of anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from arcan_gitops.status.severity import CRITICAL, OK, WARNING

Rows = Sequence[tuple[str, ...]]
# name, severity, problem, findings (severity, where, what), facts (name, text), environments
Server = tuple[str, str, str, Rows, Rows, Rows]

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --back: #fff;
  --panel: #f6f8fa; --ok: #1a6b33; --warning: #8a5300; --critical: #b3151f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9da7b1; --line: #3d444d;
  --back: #0d1117; --panel: #161b22; --ok: #5fd27e; --warning: #e8b44b; --critical: #ff8a85; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--back); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin: 0 0 .5rem; }
section { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem;
  margin: 0 0 1rem; }
.ok { color: var(--ok); } .warning { color: var(--warning); } .critical { color: var(--critical); }
.badge { font-weight: 700; }
.wide { overflow-x: auto; margin: 0 0 1rem; }
.wide:focus-visible, a:focus-visible { outline: 3px solid var(--warning); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0;
  border-top: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td, th[scope=row] { min-width: 5.5rem; white-space: normal; overflow-wrap: anywhere; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; list-style: none; }
a { color: inherit; }
"""
_STATES: Final = {"loaded": OK, "last good": WARNING}
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(severity: str, servers: Sequence[Server]) -> str:
    """A whole document. Every text is escaped; texts of servers cannot become markup."""
    links = "".join(
        f'<li><a href="#s{number}">{escape(server[0])}</a> {_badge(server[1])}</li>'
        for number, server in enumerate(servers)
    )
    menu = f'<nav aria-label="Servers"><ul>{links}</ul></nav>' if len(servers) > 1 else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>Arcan GitOps: {escape(severity)}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>Arcan GitOps: {_badge(severity)}</h1>{menu}"
        f"{''.join(_section(number, server) for number, server in enumerate(servers))}</main></body></html>\n"
    )


def _section(number: int, server: Server) -> str:
    name, severity, problem, findings, facts, environments = server
    wrong = [(one, *rest) for one, *rest in findings]
    parts = [
        f'<section id="s{number}" aria-labelledby="h{number}">',
        f'<h2 id="h{number}">{escape(name)} {_badge(severity)}</h2>',
        f"<p>{escape(problem)}</p>" if problem else "",
    ]
    if wrong:
        rows = (f"<tr><td>{_badge(one)}</td>{_cells(rest)}</tr>" for one, *rest in wrong)
        parts.append(_table("Findings", name, ("Severity", "Where", "What"), rows))
    elif not problem:
        parts.append("<p>Nothing to report.</p>")
    if facts:
        rows = (
            f'<tr><th scope="row">{escape(about)}</th><td>{escape(said)}</td></tr>' for about, said in facts
        )
        parts.append(_table("Server", name, (), rows))
    if environments:
        rows = (
            f'<tr><th scope="row">{escape(row[0])}</th><td>{escape(row[1])}</td>'
            f'<td class="{_STATES.get(row[2], CRITICAL)}">{escape(row[2])}</td>'
            f"{_cells(row[3:])}</tr>"
            for row in environments
        )
        columns = ("Environment", "Keys", "State", "Since", "Why")
        parts.append(_table("Environments", name, columns, rows))
    return "".join([*parts, "</section>\n"])


def _table(caption: str, server: str, columns: Sequence[str], rows: Iterable[str]) -> str:
    """What is wider than the screen scrolls by itself, with the keyboard too."""
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{caption}: {escape(server)}"><table>'
        f"<caption>{caption}</caption>"
        f"{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cells(texts: Iterable[str]) -> str:
    return "".join(f"<td>{escape(text)}</td>" for text in texts)


def _badge(severity: str) -> str:
    known = severity if severity in (OK, WARNING, CRITICAL) else CRITICAL
    return f'<span class="badge {known}">{escape(severity)}</span>'
