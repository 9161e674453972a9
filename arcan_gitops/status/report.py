"""What was found out about one server or several, as it is shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from arcan_gitops.errors import printable
from arcan_gitops.status.page import Server, page
from arcan_gitops.status.severity import CRITICAL, OK, WARNING, Status, severity_of, worst


@dataclass(frozen=True, slots=True)
class Asked:
    """One server: its status, or why there is none; and what the checkout at hand says of its revision."""

    name: str
    status: Status | None
    problem: str = ""
    commit: str | None = None  # the newest one with its revision
    behind: int | None = None  # how many commits there are after that one on the branch that counts
    place: str = ""  # in words: what the two above come to

    @property
    def severity(self) -> str:
        """That of its status; a server that does not answer is critical, one that is behind a warning."""
        if self.status is None:
            return CRITICAL
        return worst([severity_of(self.status), WARNING if self.behind else OK])


def text(servers: Sequence[Asked]) -> str:
    """Lines for people: what is wrong first."""
    return "".join(f"{printable(line)}\n" for each in servers for line in _lines(each))


def _lines(asked: Asked) -> Iterator[str]:
    yield f"{asked.name}: {asked.severity}"
    if asked.status is None:
        yield f"  {asked.problem}"
        return
    status = asked.status
    for finding in status.get("findings", ()):
        yield f"  {finding.get('severity')}: {place_of(finding)}{finding.get('what')}"
    if asked.place:
        yield f"  {'warning: ' if asked.behind else ''}{asked.place}"
    yield from (f"  {name}: {said}" for name, said in facts(status))
    for realm in status.get("realms", ()):
        for one in realm.get("environments", ()):
            since = f" since {one['since']}" if "since" in one else ""
            why = f" ({one['reason']})" if "reason" in one else ""
            state = str(one.get("state")).replace("_", " ")
            name = f"{realm.get('realm')}/{one.get('environment')}"
            yield f"  {name}: {one.get('keys')} keys, {state}{since}{why}"


def facts(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each thing that is told of a server beside its realms, and what is told."""
    workers, sink, counts = status.get("workers", {}), status.get("sink", {}), status.get("counts", {})
    yield "server", f"{status.get('instance')}, arcan {status.get('arcan')}, since {status.get('started')}"
    yield "revision", f"{str(status.get('revision'))[:12]}, served since {status.get('served_since')}"
    yield (
        "workers",
        (f"{workers.get('serving')} of {workers.get('wanted')}, {status.get('connections')} connections"),
    )
    sealed = f"sealed by key {sink['key_id']}" if sink.get("key_id") else "not sealed by a key"
    failing = "takes no lines" if sink.get("failing") else "is written"
    yield "audit log", f"{sink.get('target')}, {failing}, {sealed}"
    yield "certificate", f"ends {status.get('certificate', {}).get('ends')}"
    yield "counts", ", ".join(f"{name} {many}" for name, many in counts.items())


def place_of(finding: Mapping[str, Any]) -> str:
    """`REALM/ENVIRONMENT: `, as far as a finding is of one."""
    names = [str(finding[name]) for name in ("realm", "environment") if name in finding]
    return f"{'/'.join(names)}: " if names else ""


def as_json(servers: Sequence[Asked]) -> str:
    """An object with the worst severity, and each server's status as it gave it."""
    found = [
        {
            "name": each.name, "severity": each.severity, "commit": each.commit, "behind": each.behind,
            "place": each.place, "problem": each.problem, "status": each.status,
        }
        for each in servers
    ]  # fmt: skip
    return (
        json.dumps({"severity": worst(each.severity for each in servers), "servers": found}, indent=2) + "\n"
    )


def as_html(servers: Sequence[Asked]) -> str:
    """A page that needs nothing else."""
    return page(worst(each.severity for each in servers), list(map(_for_page, servers)))


def _for_page(asked: Asked) -> Server:
    status = asked.status or {}
    findings = [
        (str(one.get("severity")), place_of(one).rstrip(": ") or "server", str(one.get("what")))
        for one in status.get("findings", ())
    ]
    if asked.place:
        findings.append((WARNING if asked.behind else OK, "revision", asked.place))
    environments = []
    for realm in status.get("realms", ()):
        for one in realm.get("environments", ()):
            cells = [
                str(one.get(name, "")).replace("_", " ") for name in ("keys", "state", "since", "reason")
            ]
            environments.append((f"{realm.get('realm')}/{one.get('environment')}", *cells))
    known = list(facts(asked.status)) if asked.status else []
    return asked.name, asked.severity, asked.problem, findings, known, environments


FORMATS: Final[Mapping[str, Callable[[Sequence[Asked]], str]]] = {
    "text": text,
    "json": as_json,
    "html": as_html,
}
