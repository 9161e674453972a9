"""A bash script that rotates tokens and, once servers know the new ones, puts them into their Secrets.

In two runs, for a server accepts a token only once it has read the tokens.yaml that records it: a Secret that
changed before would be refused until the merge. The old token lives on meanwhile. The new ones wait in
private files below $VALUES; no value is an argument of a process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from shlex import quote
from typing import Final

from arcan_gitops.bootstrap.outputs.texts import comments
from arcan_gitops.names import OverlayName
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.overlay.needed_tokens import TokenPlace

_FUNCTIONS: Final = Path(__file__).resolve().parent / "outputs" / "rotation.sh"


@dataclass(frozen=True, slots=True)
class DueToken:
    """A token to rotate, by its id; when it `ends`, in words; and the Secrets that hold it."""

    credential: Credential
    id: str
    ends: str
    places: Sequence[TokenPlace]


def rotation_script(due: Sequence[DueToken], overlap: timedelta) -> str:
    """The script. Contexts of kubectl are asked for, by overlay, where the tokens are in several overlays."""
    overlays = sorted({name for token in due for place in token.places for name in place.overlays})
    head = "#!/usr/bin/env bash\n" + comments(_head(due, overlays)) + "\n" + _FUNCTIONS.read_text("utf-8")
    steps = "".join(
        f"  {line}\n" for line in (*_contexts(overlays), *_rotations(due, overlap), *_hand_over(due))
    )
    return f"{head}\nmain() {{\n{steps}}}\n\nmain\n"


def context_variable(overlay: OverlayName) -> str:
    """The variable with the kubectl context of an overlay's cluster: CONTEXT_eu_1."""
    return "CONTEXT_" + re.sub(r"[^a-z0-9]", "_", overlay)


def _head(due: Sequence[DueToken], overlays: Sequence[OverlayName]) -> Iterator[str]:
    yield "Rotates tokens that end soon, in two runs. Made by 'arcan token rotate --due'; no token is in it."
    yield ""
    for token in due:
        yield f"  {token.credential.realm}/{token.credential.token} {token.ends}"
    yield ""
    given = "".join(f"{context_variable(name)}=CONTEXT " for name in overlays) if len(overlays) > 1 else ""
    yield "Run it in the repository:"
    yield f"  VALUES=/dev/shm/rotated {given}bash rotate.sh"
    yield "1. The first run records new tokens, and keeps them in the folder VALUES. Commit the tokens.yaml"
    yield "   files, merge, and wait until the servers have read them: until then they refuse a new token."
    yield "2. The second run, with the same VALUES, puts the tokens into the Secrets, and removes its files."


def _contexts(overlays: Sequence[OverlayName]) -> Iterator[str]:
    if len(overlays) > 1:
        yield "# each overlay's cluster, by its context in kubectl's configuration"
        yield from (f"context {context_variable(name)} {name}" for name in overlays)


def _rotations(due: Sequence[DueToken], overlap: timedelta) -> Iterator[str]:
    seconds = int(overlap.total_seconds())
    for token in due:
        read = token.credential
        yield f"rotate {read.realm} {quote(read.token)} {token.id} {seconds}s"
    yield "merged"


def _hand_over(due: Sequence[DueToken]) -> Iterator[str]:
    several = len({name for token in due for place in token.places for name in place.overlays}) > 1
    for token in due:
        read = token.credential
        for place in token.places:
            for overlay in place.overlays:
                context = f'"${context_variable(overlay)}"' if several else '"${CONTEXT:-}"'
                where = f"{place.namespace} {place.secret} {quote(place.key)}"
                yield f"put {read.realm} {quote(read.token)} {context} {where}"
    for token in due:  # only now: a run that was cut off begins with the first Secret again
        yield f"done_with {token.credential.realm} {quote(token.credential.token)}"
