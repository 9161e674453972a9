"""One JSON object: what was compared, the sentence, the findings, the keys, and the Secrets that follow."""

from __future__ import annotations

import json
from collections import Counter

from arcan_gitops.review.findings import Kind
from arcan_gitops.review.review import Review


def render(review: Review) -> str:
    """`{"base", "head", "sentence", "summary", "findings": [...], "keys": [...], "secrets": [...]}`.

    The `owners` of a finding are those of its file, by the CODEOWNERS of the base. `what` becomes of a Secret
    is `made`, `changed` or `gone`; `may change`, where only the key can tell; or `stays`, with `why`.
    """
    counts = Counter(finding.kind for finding in review.findings)
    body = {
        "base": review.base,
        "head": review.head,
        "sentence": review.sentence,
        "summary": {kind.value: counts[kind] for kind in Kind},
        "findings": [
            {
                "rule": finding.rule.id,
                "kind": finding.kind.value,
                "message": finding.message,
                "next": finding.next,
                "file": finding.path or None,
                "line": finding.line or None,
                "page": finding.rule.page,
                "owners": list(review.change.base.owners.of(finding.path.lstrip("/"))),
            }
            for finding in review.findings
        ],
        "keys": [
            {
                "realm": each.realm,
                "environment": each.environment,
                "key": each.key,
                "what": each.what.value,
                "former": each.old or None,
                "file": each.path,
                "unchangedIn": list(each.same_in),
                "secrets": [str(made.place) for made in each.secrets],
            }
            for each in review.keys
        ],
        "secrets": [
            {
                "cluster": each.place.cluster,
                "namespace": each.place.namespace,
                "name": each.place.name,
                "app": each.app,
                "what": each.fate.value,
                "why": each.why or None,
            }
            for each in review.secrets
        ],
    }
    return json.dumps(body, indent=2, ensure_ascii=True) + "\n"
