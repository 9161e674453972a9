"""What must never be in Git: identities, private keys, tokens, values in clear, anywhere in the branch."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import shlex
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Final

from arcan_gitops.access import token_id
from arcan_gitops.errors import some
from arcan_gitops.review.change import Change, Changed, found
from arcan_gitops.review.documents import place_of
from arcan_gitops.review.findings import Finding
from arcan_gitops.review.plain_values import given
from arcan_gitops.review.state import KUSTOMIZE, REALMS

_TOKEN: Final = re.compile(rb"arc_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}")
# what it is -> how it begins; only what nothing else looks like
_SECRETS: Final = (
    ("an age identity", re.compile(rb"AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{40,}")),
    ("a private key", re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----\s*\S")),
    ("a PuTTY private key", re.compile(rb"PuTTY-User-Key-File-[23]: ")),
    ("a token of GitHub", re.compile(rb"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_[A-Za-z0-9_]{60,}")),
    ("a token of GitLab", re.compile(rb"\bglpat-[A-Za-z0-9_-]{20}\b")),
    ("a token of Slack", re.compile(rb"\bxox[abprs]-[A-Za-z0-9-]{20,}")),
    ("an access key of AWS", re.compile(rb"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b(?!EXAMPLE)")),
    ("a token of Vault", re.compile(rb"\bhv[sb]\.[A-Za-z0-9_-]{24,}")),
    ("a live key of Stripe", re.compile(rb"\b[sr]k_live_[A-Za-z0-9]{16,}")),
)
_SECRET_KIND: Final = re.compile(rb"(?m)^[ \t]*[\"']?kind[\"']?\s*:\s*[\"']?Secret[\"']?\s*,?\s*$")
_DATA: Final = re.compile(rb"(?m)^(?:string)?[dD]ata:\s*(?:\{\s*[^}\s]|\n(?:[ ]*#[^\n]*\n)*[ ]+\S+:\s*\S)")
_BASE64: Final = re.compile(rb"(?:[A-Za-z0-9+/]{4}){15,}[A-Za-z0-9+/]{0,4}={0,2}")
_SIDES: Final = tuple(re.compile(text, re.MULTILINE) for text in (rb"^<{7} ", rb"^={7}\r?$", rb"^>{7} "))
_MAX_RUNS: Final = 200  # of one kind in one file that are looked into
_LOOKED_AT: Final = 200  # bytes by which one private key is told from another


def clear(change: Change) -> Iterator[Finding]:
    """In the tree, in each commit of the branch, and in documents."""
    yield from _secrets(change)
    yield from _conflicts(change)
    for each in change.documents:
        yield from _in_document(change, each)
    for path, problem in sorted(change.head.problems.items()):
        before = change.base.problems.get(path)
        same = change.base.tree.files.get(path) == change.head.tree.files.get(path)
        if not same or (before is None and place_of(path) is None):
            hint = (problem.hint or change.restore(path)).replace("\n", " ")
            yield found("ARR106", f"{path}: {problem.message}", hint, path)


def _secrets(change: Change) -> Iterator[Finding]:
    """Each content once: those of the tree first, then those that only a commit of the branch has."""
    old = {entry.blob for entry in change.base.tree.files.values()}
    told: set[str] = set()
    blobs = {
        entry.blob: (path, "")
        for path, entry in sorted(change.head.tree.files.items())
        if entry.blob not in old
    }
    folder = change.objects.git.folder
    for commit in change.commits:
        for path, entry in sorted(commit.files.items()):
            if entry is not None and entry.blob not in old:
                blobs.setdefault(entry.blob, (path.removeprefix(folder), commit.id))
    change.objects.load(blobs)
    is_key = _is_key(change)
    known = _known(change, is_key)
    for blob, (path, commit_id) in blobs.items():
        if blob in told:
            continue
        told.add(blob)
        found_here = _held(change.objects.data(blob) or b"", path, is_key)
        what = list(dict.fromkeys(kind for kind, text in found_here if (kind, text) not in known))
        if not what:
            continue
        here = (
            "" if not commit_id else f", in commit {commit_id[:12]}; that it was removed later helps nothing"
        )
        yield found(
            "ARR114",
            f"{path}: holds {some(what)}{here}",
            "whoever can read the repository has it: change it where it is used; deleting it here is "
            "not enough",
            path,
        )


def _is_key(change: Change) -> Callable[[str], bool]:
    """Whether a realm has a key of that name, before or after."""

    @cache  # of a large repository it takes seconds, and nearly no file asks
    def keys() -> frozenset[str]:
        return frozenset(
            key
            for state in (change.base, change.head)
            for realm, environment in state.index
            for key in state.keys(realm, environment)
        )

    return lambda name: name in keys()


def _held(data: bytes, path: str, is_key: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """What a file holds that must not be in Git, as of `secrets_in`, and values by their names."""
    yield from secrets_in(data, path)
    if not path.startswith((REALMS, KUSTOMIZE)):  # documents have rules; apps name keys beside other names
        for name, value in given(data, path, is_key):
            yield f"a value for {name}", _digest(value)


def _known(change: Change, is_key: Callable[[str], bool]) -> set[tuple[str, str]]:
    """What the base holds in the files that the branch changes, moves or takes out: that is in Git already,
    and not by this branch.
    """
    entries = {path: change.base.tree.files[path] for path in change.paths if path in change.base.tree.files}
    change.objects.load(entry.blob for entry in entries.values())
    return {
        each
        for path, entry in entries.items()
        for each in _held(change.objects.data(entry.blob) or b"", path, is_key)
    }


def secrets_in(data: bytes, path: str) -> list[tuple[str, str]]:
    """What a content holds that must not be in Git: its kind, and a digest of the text that shows it, by
    which the same one is known; never the text itself.
    """
    plain = data.replace(b"\0", b"")  # of UTF-16, what is ASCII stays
    kinds = list(_kinds(plain))
    for run in list(_BASE64.finditer(plain))[:_MAX_RUNS]:
        try:
            decoded = base64.b64decode(run[0][: len(run[0]) // 4 * 4])
        except binascii.Error:
            continue
        plainly = {kind for kind, _ in kinds}
        kinds += [(f"{kind} (in Base64)", digest) for kind, digest in _kinds(decoded) if kind not in plainly]
    if path.endswith((".yaml", ".yml", ".json")):
        kinds += [("a Kubernetes Secret with its values", _digest(part)) for part in _secret_objects(plain)]
    return list(dict.fromkeys(kinds))


def _kinds(data: bytes) -> Iterator[tuple[str, str]]:
    for kind, pattern in _SECRETS:
        for match in islice(pattern.finditer(data), _MAX_RUNS):
            body = data[match.end() : match.end() + _LOOKED_AT].partition(b"-----END")[0]
            yield kind, _digest(match[0] + body if kind.endswith("private key") else match[0])
    for text in _TOKEN.findall(data):
        if token_id(text.decode("ascii")) is not None:
            yield "an Arcan token", _digest(text)


def _secret_objects(data: bytes) -> Iterator[bytes]:
    for part in re.split(rb"(?m)^---", data):
        if _SECRET_KIND.search(part) and _DATA.search(part) and b"ENC[" not in part:
            yield part.strip()


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _conflicts(change: Change) -> Iterator[Finding]:
    for path in change.paths:
        data = change.data(path)
        if data is not None and (at := _conflict(data)) is not None:
            before = change.base.tree.files.get(path)
            if before is not None and _marks(data) <= _marks(change.objects.data(before.blob) or b""):
                continue  # they were there
            line = data.count(b"\n", 0, at) + 1
            yield found(
                "ARR105",
                f"{path}: has the marks of a conflict that nobody resolved",
                "resolve it; a document's sides are merged by hand: " + change.restore(path)
                if path.startswith((REALMS, KUSTOMIZE))
                else "resolve it, and commit the file",
                path,
                line,
            )


def _conflict(data: bytes) -> int | None:
    """Where the three marks of a conflict begin, in their order. One pass for each, whatever is in the "
    "file.
    """
    start, at = None, 0
    for mark in _SIDES:
        match = mark.search(data, at)
        if match is None:
            return None
        start, at = match.start() if start is None else start, match.end()
    return start


def _marks(data: bytes) -> int:
    return len(_SIDES[0].findall(data))


def _in_document(change: Change, each: Changed) -> Iterator[Finding]:
    if each.after is None:
        return
    old = each.before
    new = [path for path in each.after.clear if old is None or path not in old.clear]
    if new:
        names = some([".".join(map(str, path)) for path in new], 5)
        settings = change.head.realm_settings.get(each.place.realm)
        allowed = settings is not None and all(settings.limits.may_be_clear(str(path[0])) for path in new)
        yield found(
            "ARR113",
            f"{each.place}: {names} stands in clear" + (", which realm.yaml allows" if allowed else ""),
            f"if it is secret, change it: arcan secret set {each.place.realm} {shlex.quote(str(new[0][0]))} "
            f"--env {each.place.environment}",
            each.path,
        )
    comments = [
        line for digest, line in each.after.comments.items() if old is None or digest not in old.comments
    ]
    if comments:
        yield found(
            "ARR115",
            f"{each.place}: a comment in clear, which everybody reads who reads the repository",
            "take it out, unless it is meant to be read, then: arcan realm check",
            each.path,
            comments[0],
        )
