"""When ESO looked last, what it said, and whether it only waits."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from arcan_gitops.access import token_id
from arcan_gitops.doctor.asking import asks_of
from arcan_gitops.doctor.check import Check
from arcan_gitops.doctor.checks.tokens import tokens_of
from arcan_gitops.doctor.facts import External, Facts, LogLine, Object, Read, Unread, dig, moment
from arcan_gitops.doctor.findings import Found, NotDone, Place, error, note, warning
from arcan_gitops.doctor.fixes import edited, helm, log_of_eso, restarted
from arcan_gitops.eso.explain import recognised
from arcan_gitops.golang.text import parse_duration

_GRACE: Final = timedelta(minutes=10)  # ESO's longest back-off is some seven minutes
_SHORT: Final = 60.0
_MANY_READS: Final = 500.0  # a second; a quarter of what one replica answers on new connections
_LIMITS: Final = re.compile(r"\b429\b|throttl|rate ?limit|too many requests|quota", re.IGNORECASE)


def _interval(external: External) -> float:
    """In seconds; 0 for never."""
    text = dig(external.object, "spec", "refreshInterval")
    try:
        return parse_duration(str(text)) if text else 3600.0
    except ValueError:
        return 3600.0


def _policy(external: External) -> str:
    return dig(external.object, "spec", "refreshPolicy") or "Periodic"


def seen(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether ESO has looked at it at all, and at the manifest as it is now."""
    for external in facts.externals:
        created = moment(dig(external.object, "metadata", "creationTimestamp"))
        fix = restarted(facts)
        if not external.ready:
            if created is not None and facts.now - created > timedelta(minutes=2):
                what = (
                    "ESO has never looked at it: it does not run, is of another class, or its queue is long"
                )
                yield error(str(external), what, *fix, of=[external.place])
            continue
        synced = str(dig(external.object, "status", "syncedResourceVersion") or "").partition("-")[0]
        generation = str(dig(external.object, "metadata", "generation") or "")
        changed = _changed(external.object)
        late = changed is not None and facts.now - changed > _GRACE
        if not external.failing and synced and generation and synced != generation and late:
            what = "ESO has not looked at its last change: it does not run, or its queue is long"
            yield error(str(external), what, *fix, of=[external.place])


def _changed(found: Object) -> datetime | None:
    """When somebody wrote the object last, but for its status."""
    entries = dig(found, "metadata", "managedFields") or ()
    times = [moment(one.get("time")) for one in entries if one.get("subresource") != "status"]
    return max((time for time in times if time is not None), default=None)


def overdue(facts: Facts) -> Iterator[Found | NotDone]:
    """`refreshTime` against interval and policy."""
    late: list[External] = []
    for external in facts.externals:
        interval, last = _interval(external), moment(dig(external.object, "status", "refreshTime"))
        if _policy(external) != "Periodic" or not interval:
            what = "is refreshed when its manifest changes, and at no other time"
            if _policy(external) == "CreatedOnce":
                what = "was made once, and is never refreshed (refreshPolicy: CreatedOnce)"
            if external.place == facts.wanted:
                yield note(str(external), what, facts.sync(external))
            continue
        if (
            last is not None
            and not external.failing
            and facts.now - last > timedelta(seconds=interval) + _GRACE
        ):
            late.append(external)
    if not late:
        return
    of = [external.place for external in late]
    first = late[0]
    since = dig(first.object, "status", "refreshTime")
    many = f"{first}" if len(late) == 1 else f"{first} and {len(late) - 1} more"
    interval_text = dig(first.object, "spec", "refreshInterval") or "1h"
    what = (
        f"was refreshed at {since}, and its interval is {interval_text}: ESO does not run, waits "
        "for a server that does not answer, or has more to do than it can (--concurrent)"
    )
    fix = (*restarted(facts), helm(facts, "concurrent=5"), facts.sync(first))
    yield error(many, what, *fix, of=of)


def waiting(facts: Facts) -> Iterator[Found | NotDone]:
    """Failed, and nothing is wrong any more: ESO waits before it tries again."""
    for external in facts.externals:
        read = facts.reads.get(external.place)
        if external.failing and isinstance(read, Read) and read.outcome is not None and read.outcome.synced:
            reason = external.ready.get("reason", "no reason")
            what = f"says {reason}, and a refresh tried from here works: ESO only waits, up to seven minutes"
            yield warning(str(external), what, facts.sync(external), of=[external.place])


def load(facts: Facts) -> Iterator[Found | NotDone]:
    """How often is asked, against what a server answers."""
    short: defaultdict[str, list[Place]] = defaultdict(list)
    reads = 0.0
    for external in facts.externals:
        interval = _interval(external)
        if _policy(external) != "Periodic" or not interval:
            continue
        entries = 1 if external.parsed is None else len(external.parsed.data) + len(external.parsed.data_from)
        reads += entries / interval
        if interval < _SHORT:
            short[str(dig(external.object, "spec", "refreshInterval"))].append(external.place)
    for interval_text, places in short.items():
        what = f"is refreshed every {interval_text}: a merged change does not wait for it, and 1h is enough"
        namespace, name = places[0]
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        patch = '{"spec": {"refreshInterval": "1h"}}'
        words = ("externalsecret", name, "-n", namespace, "--type=merge", "-p", patch)
        yield warning(
            f"ExternalSecret {namespace}/{name}{more}", what, facts.kubectl("patch", *words), of=places
        )
    if reads > _MANY_READS:
        what = f"ask {reads:.0f} times a second: longer intervals, or 'all: true' in place of single keys"
        yield warning("ExternalSecrets", what, edited("refreshInterval: 1h"))


def events(facts: Facts) -> Iterator[Found | NotDone]:
    """ESO's newest warning, as far as its words are known; ESO 2.14 and newer say less in it."""
    for external in facts.externals:
        found = facts.events.get(external.place[0])
        if isinstance(found, Unread):
            yield found.not_done(f"events in namespace {external.place[0]}")
        if not external.failing:
            continue
        newest = _newest(external, found if isinstance(found, tuple) else ())
        said, cause = recognised(newest) if newest else ("", None)
        what = f"ESO says {external.ready.get('reason')}: {external.ready.get('message', '')}"
        if said:
            what = f"ESO says: {said}"
        look = facts.kubectl("describe", "externalsecret", external.place[1], "-n", external.place[0])
        yield error(str(external), f"{what}. {cause}" if cause else what, look, of=[external.place])


def _newest(external: External, found: tuple[Object, ...]) -> str:
    mine = [
        one
        for one in found
        if dig(one, "involvedObject", "kind") == "ExternalSecret"
        and dig(one, "involvedObject", "name") == external.place[1]
    ]
    mine.sort(key=lambda one: str(one.get("lastTimestamp") or one["metadata"].get("creationTimestamp") or ""))
    return str(mine[-1].get("message", "")) if mine else ""


def audit(facts: Facts) -> Iterator[Found | NotDone]:
    """What the server said to ESO, by its audit log."""
    for external in facts.externals if facts.audit else ():
        for ask in asks_of(external, facts) if external.failing else ():
            ids = [token_id(text) for text in tokens_of(ask, facts)]
            refused = [facts.audit.get(("", "", one)) for one in ids if one is not None]
            line = facts.audit.get((ask.realm, ask.environment, ask.key or "")) or next(iter(refused), None)
            if not line or not isinstance(line.get("status"), int) or line["status"] < 400:
                continue
            why = f" ({line['reason']})" if line.get("reason") else ""
            who = line.get("token_name") or line.get("claimed_token_id") or "a caller"
            what = (
                f"the server answered {line['status']} {line.get('code')}{why} to {who} at {line.get('time')}"
            )
            look = facts.kubectl("logs", "-n", "arcan", "deployment/arcan", "--tail=50")
            yield error(str(external), what, look, of=[external.place])
            break


def log(facts: Facts) -> Iterator[Found | NotDone]:
    """ESO's log: a provider that limits how often it is asked."""
    if isinstance(facts.log, Unread):
        yield facts.log.not_done("ESO's log")
        return
    limited = [line for line in facts.log or () if _LIMITS.search(line.text) and not _is_over(line, facts)]
    if limited:
        what = f"{len(limited)} lines of its log say that a provider limits how often it is asked"
        longer = edited("a longer refreshInterval, and refreshSpread: 10%")
        yield warning("ESO", what, log_of_eso(facts), longer, of={line.place for line in limited})


def _is_over(line: LogLine, facts: Facts) -> bool:
    """Whether a refresh after it went well."""
    external = facts.by_place[line.place]
    last = moment(dig(external.object, "status", "refreshTime"))
    return not external.failing and (line.time is None or last is None or line.time <= last)


CHECKS = (
    Check("seen", "whether ESO has looked at the manifest", "to list ExternalSecrets", seen),
    Check("overdue", "`refreshTime` against interval and policy", "to list ExternalSecrets", overdue),
    Check("waiting", "a failure that is over", "the network; to read the token", waiting, symptom=True),
    Check("load", "how often is asked", "to list ExternalSecrets", load),
    Check("eso-log", "ESO's log", "to read logs", log),
    Check("audit-log", "what the server said to ESO", "the audit log: --audit-log", audit, symptom=True),
    Check("events", "ESO's newest warning", "to read events", events, symptom=True),
)
