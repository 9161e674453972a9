"""Sources -> a report: everything is read first, since a store may be in another file than its user."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.eso_version import EsoVersion
from arcan_gitops.lint.findings import Finding, Found, Report, Severity
from arcan_gitops.lint.ignores import BAD_IGNORE, Ignore, read_ignores
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.reading import Source, read_documents
from arcan_gitops.lint.rule import Rule
from arcan_gitops.lint.rules import RULES
from arcan_gitops.names import InvalidName, did_you_mean

ALL_RULES: Final[tuple[Rule, ...]] = tuple(sorted((*RULES, BAD_IGNORE), key=lambda rule: rule.id))
RULE_IDS: Final = frozenset(rule.id for rule in ALL_RULES)


def rule_id(text: str) -> str:
    """The id of a rule, in capitals. Raises `InvalidName` where there is no such rule."""
    name = text.upper()
    if name not in RULE_IDS:
        raise InvalidName(
            f"there is no rule {text[:40]!r}",
            hint=f"{did_you_mean(name, RULE_IDS)} arcan lint rules lists them",
        )
    return name


class NothingToLint(ArcanError):
    """Not one document: never a success, for a pipe may have broken before it got here."""


def lint(
    sources: Sequence[Source],
    eso: EsoVersion,
    *,
    only: Iterable[str] = (),
    ignored: Iterable[str] = (),
) -> Report:
    """What the rules find in all sources together, by place. No `only` means all rules.

    Raises `NothingToLint`.
    """
    documents = [document for source in sources for document in read_documents(source)]
    if not documents:
        raise NothingToLint("nothing to lint", hint="give manifests: files, folders, or - for standard input")
    manifests = Manifests.of(documents, eso)
    chunks = {(d.chunk.source, d.chunk.first_line): d.chunk for d in documents}
    comments = list(read_ignores(chunks.values(), RULE_IDS))
    ignores = [comment for comment in comments if isinstance(comment, Ignore)]
    found = [(BAD_IGNORE, comment) for comment in comments if isinstance(comment, Found)]
    found += [(rule, one) for rule in RULES for one in rule.check(manifests)]
    wanted = (frozenset(only) or RULE_IDS) - frozenset(ignored)
    findings = {
        _finding(rule, one): None
        for rule, one in found
        if rule.id in wanted and not any(ignore.covers(rule.id, one.place) for ignore in ignores)
    }
    order = {source.name: number for number, source in enumerate(sources)}

    def by_place(finding: Finding) -> tuple[int, int, str]:
        if finding.place is None:
            return (len(order), 0, finding.rule)
        return (order[finding.place.path], finding.place.line, finding.rule)

    return Report(tuple(sorted(findings, key=by_place)), len(sources), len(manifests.objects), str(eso))


def _finding(rule: Rule, one: Found) -> Finding:
    severity: Severity = one.severity or rule.severity
    return Finding(rule.id, severity, one.place, one.message, one.hint)
