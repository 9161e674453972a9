"""How the doctor asks a cluster: commands of kubectl, and what they answer. Nothing is changed.

`Kubectl` of `bootstrap` runs them; a test may bring its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from arcan_gitops.bootstrap.kubectl import Answer
from arcan_gitops.doctor.facts import Object, Unread

_WHY = (
    ("Forbidden", "you may not"),
    ("forbidden", "you may not"),
    ("Unauthorized", "the API server does not know you: log in again"),
    ("doesn't have a resource type", "the API server does not have this kind"),
    ("could not find the requested resource", "the API server does not have this"),
    ("Unable to connect to the server", "the API server cannot be reached"),
    ("was refused", "the API server cannot be reached"),
    ("context was not found", "kubectl's configuration has no such context"),
    ("does not exist", "kubectl's configuration has no such context"),
)


class Runs(Protocol):
    """Runs kubectl."""

    def answer(self, arguments: Sequence[str]) -> Answer:
        """What one command came to. Raises nothing for a command that fails."""
        ...


class Reader:
    """Objects of a cluster, by way of kubectl."""

    def __init__(self, kubectl: Runs, context: str = "") -> None:
        self._kubectl = kubectl
        self._context = (f"--context={context}",) if context else ()

    def text(self, *arguments: str) -> str | Unread:
        """What a command prints."""
        done = self._kubectl.answer((*self._context, *arguments))
        if done.status == 0:
            return done.out.decode("utf-8", "replace")
        return Unread(_why(done.error), " ".join(("kubectl", *self._context, *arguments)))

    def raw(self, path: str) -> Any | Unread:
        """A document of the API server."""
        return self._parsed(self.text("get", "--raw", path))

    def objects(self, kind: str, *arguments: str) -> tuple[Object, ...] | Unread:
        """The objects of a kind; none where there are none."""
        found = self._parsed(self.text("get", kind, *arguments, "-o", "json", "--ignore-not-found"))
        if isinstance(found, Unread):
            return found
        if found is None:
            return ()
        if str(found.get("kind", "")).endswith("List") and "items" in found:
            return tuple(found["items"])
        return (found,)

    def may(self, verb: str, resource: str, namespace: str, who: str) -> bool | Unread:
        """`kubectl auth can-i`, as somebody."""
        words = ("auth", "can-i", verb, resource, "-n", namespace, f"--as={who}")
        done = self._kubectl.answer((*self._context, *words))
        said = done.out.decode("utf-8", "replace").strip()
        if said.startswith(("yes", "no")):
            return said.startswith("yes")
        return Unread(_why(done.error), " ".join(("kubectl", *self._context, *words)))

    @staticmethod
    def _parsed(text: str | Unread) -> Any | Unread:
        if isinstance(text, Unread):
            return text
        if not text.strip():
            return None
        try:
            return json.loads(text)
        except ValueError:
            return Unread("kubectl printed something that is no JSON")


def _why(error: str) -> str:
    """In our words: kubectl's own may quote what it was given."""
    known = next((why for sign, why in _WHY if sign in error), None)
    return known or "kubectl failed"
