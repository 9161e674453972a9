"""Documents that have one data key, as far as it shows without an identity: by the wrapped texts of the key.

A data key is random for each document: two that share a wrapped one are copies, or key files of one
environment for the same recipients.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from arcan_gitops.errors import ArcanError
from arcan_gitops.realms.binding import Audience, Place, Widened, audience_that_counts
from arcan_gitops.realms.layout import DocumentFile
from arcan_gitops.sops import Outline

_Seen = tuple[DocumentFile, Audience]


class SharedKeys:
    """The wrapped data keys of the documents that were added."""

    def __init__(self) -> None:
        self._by_text: dict[str, list[_Seen]] = defaultdict(list)

    def add(self, document: DocumentFile, outlined: Outline) -> None:
        """Take note of a document."""
        audience = Audience.of(outlined.metadata)
        for text in {"".join(key.enc.split()) for group in outlined.metadata.groups for key in group.age}:
            self._by_text[text].append((document, audience))

    def problems(self) -> list[ArcanError]:
        """What is wrong: one problem at most for each document."""
        found: dict[DocumentFile, ArcanError] = {}
        for seen in self._by_text.values():
            if len(seen) > 1:
                for document, problem in _problems(seen):
                    found.setdefault(document, problem)
        return list(found.values())


def _problems(seen: list[_Seen]) -> Iterator[tuple[DocumentFile, ArcanError]]:
    """Those of the documents with one wrapped key."""
    (first, _), *_ = seen
    by_place: dict[Place, list[_Seen]] = defaultdict(list)
    for document, audience in seen:
        by_place[document.realm, document.environment].append((document, audience))
        if document.place != first.place:
            problem = f"{document.path}: has the data key of {first.path}, document of another place"
            hint = f"if this is intended, give it its own data key: {_rotate(document)}"
            yield document, ArcanError(problem, hint=hint)
    for beside in by_place.values():
        counts = audience_that_counts([audience for _, audience in beside])
        right = next(document for document, audience in beside if audience == counts)
        for document, audience in beside:
            if audience != counts:
                problem = f"{document.path}: has the data key of {right.path} and other recipients, who could"
                yield (
                    document,
                    Widened(f"{problem} open both", hint=f"give it its own data key: {_rotate(document)}"),
                )


def _rotate(document: DocumentFile) -> str:
    return f"'arcan realm rotate {document.realm} --env {document.environment}'"
