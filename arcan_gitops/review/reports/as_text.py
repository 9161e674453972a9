"""Lines for people: the sentence, then what breaks, what somebody gains, the keys, and the rest."""

from __future__ import annotations

from arcan_gitops.errors import printable, some
from arcan_gitops.explanations import command
from arcan_gitops.review.findings import Kind
from arcan_gitops.review.review import Review


def render(review: Review) -> str:
    """The sentence first; a finding is a line with its id, and what to do below it."""
    lines = [review.sentence, f"({review.base} -> {review.head})", ""]
    for kind in Kind:
        if not review.of(kind):
            continue
        lines.append(f"{kind}:")
        for finding in review.of(kind):
            lines += [f"  {finding.rule.id} {finding.message}", f"      next: {finding.next}"]
        lines.append("")
    if review.keys:
        lines.append("keys:")
    for each in review.keys:
        secrets = [f"{made.place} on {made.place.cluster}" for made in each.secrets]
        former = f" (was {each.old})" if each.old else ""
        lines.append(f"  {each.place} {each.key}: {each.what}{former} -> {some(secrets, 4) or 'no app'}")
    if review.secrets:
        lines += ["", "Kubernetes Secrets:", *(f"  {each}" for each in review.secrets)]
    if review.findings:
        lines += ["", f"what an id means: {command(review.findings[0].rule.id)}"]
    return "\n".join(map(printable, lines)).rstrip("\n") + "\n"
