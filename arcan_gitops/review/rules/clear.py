"""What must never be in Git: identities, private keys, tokens, values in clear, anywhere in the branch."""

from __future__ import annotations

import base64
import binascii
import re
import shlex
from collections.abc import Iterator
from typing import Final

from arcan_gitops.access import token_id
from arcan_gitops.errors import some
from arcan_gitops.review.change import Change, Changed, found
from arcan_gitops.review.documents import place_of
from arcan_gitops.review.findings import Finding
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
_MAX_RUNS: Final = 200  # of Base64 in one file that are looked into


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
    for blob, (path, commit_id) in blobs.items():
        if blob in told:
            continue
        told.add(blob)
        what = what_is_secret(change.objects.data(blob) or b"", path)
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


def what_is_secret(data: bytes, path: str) -> list[str]:
    """What a content holds that must not be in Git, by its kind; never the text itself."""
    plain = data.replace(b"\0", b"")  # of UTF-16, what is ASCII stays
    kinds = list(dict.fromkeys(_kinds(plain)))
    for run in list(_BASE64.finditer(plain))[:_MAX_RUNS]:
        try:
            decoded = base64.b64decode(run[0][: len(run[0]) // 4 * 4])
        except binascii.Error:
            continue
        kinds += [f"{kind} (in Base64)" for kind in _kinds(decoded) if kind not in kinds]
    if path.endswith((".yaml", ".yml", ".json")) and _holds_secret(plain):
        kinds.append("a Kubernetes Secret with its values")
    return list(dict.fromkeys(kinds))


def _kinds(data: bytes) -> Iterator[str]:
    for kind, pattern in _SECRETS:
        if pattern.search(data):
            yield kind
    if any(token_id(text.decode("ascii")) is not None for text in _TOKEN.findall(data)):
        yield "an Arcan token"


def _holds_secret(data: bytes) -> bool:
    for part in re.split(rb"(?m)^---", data):
        if _SECRET_KIND.search(part) and _DATA.search(part) and b"ENC[" not in part:
            return True
    return False


def _conflicts(change: Change) -> Iterator[Finding]:
    for path in change.paths:
        data = change.data(path)
        if data is not None and (at := _conflict(data)) is not None:
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
