"""PushSecrets: what a webhook store sends for them.

Source: ESO providers/v1/webhook/pkg/webhook PushWebhookData.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from arcan_gitops.lint.findings import Found, Severity
from arcan_gitops.lint.manifests import Manifests
from arcan_gitops.lint.rule import Rule

_IDENTIFIER: Final = re.compile(r"[^\W\d]\w*")
_NAMES_THE_KEY: Final = ".remoteRef.remoteKey"


def _no_body(manifests: Manifests) -> Iterator[Found]:
    for store in manifests.stores:
        if store.webhook is None or store.webhook.text("body"):
            continue
        sent = any(_NAMES_THE_KEY in text for _, _, text in store.templates())
        for pusher, spec in manifests.pushes(store):
            keys = [item.text("match", "remoteRef", "remoteKey") or "" for item in spec.items("data")]
            broken = [key for key in keys if _IDENTIFIER.fullmatch(key) is None]
            if broken:
                problem = (
                    f"no body: ESO takes {{{{ .remoteRef.{broken[0][:40]} }}}} there, which is no name to Go,"
                    f" and {pusher} never arrives"
                )
            elif len(keys) > 1 and not sent:
                problem = f"no body: {pusher} sends each value alone, and nothing says which key it is"
            else:
                continue
            yield store.object.found(
                store.webhook,
                problem,
                "add body: '{\"value\": {{ index .remoteRef .remoteRef.remoteKey | toJson }}}'",
                None if broken else Severity.WARNING,
            )
            break


RULES = (Rule("ARC038", Severity.ERROR, "a webhook store without a body that a PushSecret needs", _no_body),)
