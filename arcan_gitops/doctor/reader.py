"""How the doctor asks a cluster: commands of kubectl, and what they answer. Nothing is changed.

A start of kubectl costs more than an object, so that what can be asked at once is: see `many`. `Kubectl` of
`bootstrap` runs the commands; a test may bring its own.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol, TypeVar

from arcan_gitops.bootstrap.kubectl import Answer
from arcan_gitops.doctor.facts import Object, Unread

T = TypeVar("T")
MAY_NOT: Final = "you may not"
_AT_ONCE: Final = 6  # kubectls that run at the same time
_WHY: Final = (
    ("Forbidden", MAY_NOT),
    ("forbidden", MAY_NOT),
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

    def answer(self, arguments: Sequence[str], data: bytes = b"") -> Answer:
        """What one command came to, with `data` as its standard input. Raises nothing for a command that
        fails. Commands may run at the same time.
        """
        ...


class Reader:
    """Objects of a cluster, by way of kubectl."""

    def __init__(self, kubectl: Runs, context: str = "") -> None:
        self._kubectl = kubectl
        self._context = (f"--context={context}",) if context else ()

    def printed(self, *arguments: str, data: bytes = b"") -> tuple[str, str | None]:
        """What a command prints, and, where it failed, what kubectl said: nothing of that is to be shown. Of
        several objects those are printed all the same that may be read.
        """
        done = self._kubectl.answer((*self._context, *arguments), data)
        return done.out.decode("utf-8", "replace"), None if done.status == 0 else done.error

    def text(self, *arguments: str) -> str | Unread:
        """What a command prints."""
        text, error = self.printed(*arguments)
        return text if error is None else Unread(why(error), self.command(*arguments))

    def command(self, *arguments: str) -> str:
        """A command to paste: without its form, which would show what is in a Secret."""
        words = list(arguments)
        if "-o" in words:
            del words[words.index("-o") : words.index("-o") + 2]
        return shlex.join(("kubectl", *self._context, *words))

    def raw(self, path: str) -> Any | Unread:
        """A document of the API server."""
        text = self.text("get", "--raw", path)
        return text if isinstance(text, Unread) else _parsed(text)

    def objects(self, kind: str, *arguments: str) -> tuple[Object, ...] | Unread:
        """The objects of a kind; none where there are none."""
        text = self.text("get", kind, *arguments, "-o", "json", "--ignore-not-found")
        return text if isinstance(text, Unread) else objects_in(text)

    def may(self, verb: str, resource: str, namespace: str, who: str) -> bool | Unread:
        """`kubectl auth can-i`, as somebody."""
        where = ("-n", namespace) if namespace else ("-A",)
        words = ("auth", "can-i", verb, resource, *where, f"--as={who}")
        done = self._kubectl.answer((*self._context, *words))
        said = done.out.decode("utf-8", "replace").strip()
        if said.startswith(("yes", "no")):
            return said.startswith("yes")
        return Unread(why(done.error), self.command(*words))


def together(*calls: Callable[[], T]) -> list[T]:
    """What each call returns, in their order; they run at the same time, a few at once."""
    if len(calls) < 2:
        return [call() for call in calls]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda call: call(), calls))


def objects_in(text: str) -> tuple[Object, ...] | Unread:
    """The objects that kubectl printed as JSON: one, a list, or one after the other."""
    found: list[Object] = []
    decoder, text = json.JSONDecoder(), text.strip()
    while text:
        try:
            one, end = decoder.raw_decode(text)
        except ValueError:
            return Unread("kubectl printed something that is no JSON")
        is_list = str(one.get("kind", "")).endswith("List") and "items" in one
        found += one["items"] if is_list else [one]
        text = text[end:].lstrip()
    return tuple(found)


def _parsed(text: str) -> Any | Unread:
    try:
        return json.loads(text)
    except ValueError:
        return Unread("kubectl printed something that is no JSON")


def why(error: str) -> str:
    """What kubectl said, in our words: its own may quote what it was given."""
    known = next((why for sign, why in _WHY if sign in error), None)
    return known or "kubectl failed"
