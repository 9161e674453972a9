"""How the documents of a repository came to be: their versions, newest first, as Git has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from arcan_gitops.access import TokensFile, read_tokens_file
from arcan_gitops.errors import ArcanError
from arcan_gitops.git import LoggedCommit
from arcan_gitops.realms.tree import TOKENS_FILE
from arcan_gitops.review.documents import Document, document_or_error
from arcan_gitops.review.objects import Objects
from arcan_gitops.review.readers import Caller, Kind
from arcan_gitops.review.state import REALMS, State


@dataclass(frozen=True, slots=True)
class Version:
    """A file as a commit left it. `order` counts from the newest commit, which is 0."""

    path: str
    blob: str
    commit: LoggedCommit
    order: int


@dataclass(frozen=True, slots=True)
class History:
    """The versions of the files below realms/, each path's newest first; `shallow`: there are older ones,
    which this clone lacks. `unseen` is how many contents are not here.
    """

    versions: Mapping[str, Sequence[Version]] = field(default_factory=dict)
    shallow: bool = False
    unseen: int = 0

    @classmethod
    def of(cls, objects: Objects, commits: Sequence[str]) -> History:
        """Of all commits that are reached from these; in a partial clone, of what it has. Raises
        `GitFailed`.
        """
        git = objects.git
        found: dict[str, list[Version]] = {}
        for order, commit in enumerate(git.log(commits, [f"{git.folder}{REALMS}"])):
            for path, entry in commit.files.items():
                if entry is not None and entry.is_file:
                    name = path.removeprefix(git.folder)
                    found.setdefault(name, []).append(Version(name, entry.blob, commit, order))
        blobs = {version.blob for versions in found.values() for version in versions}
        objects.load(blobs, fetching=False)
        return cls(found, git.is_shallow(), len(blobs & objects.unseen))

    def documents(self, path: str, objects: Objects) -> Iterator[tuple[Version, Document]]:
        """The versions of a document that can be read, newest first."""
        for version in self.versions.get(path, ()):
            found = objects.made(version.blob, "document", document_or_error)
            if isinstance(found, Document):
                yield version, found


@dataclass(frozen=True, slots=True)
class Former:
    """Somebody who could read a key's value once, can no more, and may know it still: it has not been changed
    since, as far as that shows. `certain`: the ciphertext is the same; else it was encrypted anew, of
    which only the key can tell whether the value changed.
    """

    kind: str
    name: str
    keys: tuple[str, ...]
    until: LoggedCommit
    certain: bool


def former(
    state: State, history: History, objects: Objects, realm: str, environment: str, keys: Iterable[str]
) -> tuple[Former, ...]:
    """Who could once, by name and kind. Recipients are named by what they are: see `name_of`."""
    found: dict[tuple[str, str, bool], tuple[list[str], LoggedCommit]] = {}
    wanted = set(keys)
    for place, document in state.of(realm, environment).items():
        now = {key: document.keys[key] for key in document.keys if key in wanted}
        since = _since(history, objects, state.paths[place], document, now)
        for key, (versions, certain) in since.items():
            for version, then in versions:
                for recipient in then.recipients:
                    if recipient not in document.recipients:
                        entry = found.setdefault(("recipient", recipient, certain), ([], version.commit))
                        entry[0].append(key)
            for kind, name, commit in _callers_of(state, history, objects, realm, environment, key, versions):
                found.setdefault((kind, name, certain), ([], commit))[0].append(key)
    return tuple(
        Former(kind, name, tuple(dict.fromkeys(of)), commit, certain)
        for (kind, name, certain), (of, commit) in sorted(found.items())
    )


_Versions = list[tuple[Version, Document]]


def _since(
    history: History, objects: Objects, path: str, document: Document, now: Mapping[str, str]
) -> dict[str, tuple[_Versions, bool]]:
    """For each key the versions in which its value was what it is now, and whether that is certain."""
    found: dict[str, tuple[_Versions, bool]] = {key: ([], True) for key in now}
    current = dict(now)
    newer = document
    for version, then in history.documents(path, objects):
        anew = is_rekeyed(then, newer)
        for key, digest in list(current.items()):
            versions = found[key][0]
            if then.keys.get(key) == digest:
                versions.append((version, then))
            elif key in then.keys and anew:
                found[key] = [*versions, (version, then)], False
                current[key] = then.keys[key]
            else:
                del current[key]  # here it was changed, or made
        newer = then
        if not current:
            break
    return found


def is_rekeyed(before: Document, after: Document) -> bool:
    """Whether a document has another data key, with every leaf encrypted anew: by its rotation, or by
    somebody who made up all of it; only the key can tell.
    """
    if before.wrapped & after.wrapped:
        return False
    old = {(leaf.path, leaf.digest) for leaf in before.leaves if leaf.encrypted and leaf.digest}
    return not any((leaf.path, leaf.digest) in old for leaf in after.leaves if leaf.encrypted)


def _callers_of(
    state: State,
    history: History,
    objects: Objects,
    realm: str,
    environment: str,
    key: str,
    versions: _Versions,
) -> Iterator[tuple[str, str, LoggedCommit]]:
    """The tokens and accounts that could read the key while its value was this, and cannot now."""
    path = f"{REALMS}{realm}/{TOKENS_FILE}"
    since = min((version.commit.time for version, _ in versions), default=None)
    now = {(caller.kind, caller.id) for caller in _read_by(state.tokens.get(realm), realm, environment, key)}
    if since is None:
        return
    for version in history.versions.get(path, ()):
        file = objects.made(version.blob, TOKENS_FILE, _tokens)
        for caller in _read_by(file, realm, environment, key):
            if (caller.kind, caller.id) not in now:
                now.add((caller.kind, caller.id))
                yield caller.kind.value, caller.name, version.commit
        if version.commit.time < since:
            break


def _read_by(file: TokensFile | None, realm: str, environment: str, key: str) -> Iterator[Caller]:
    if file is None:
        return
    for token in file.tokens:
        caller = Caller(Kind.TOKEN, realm, token.id, token.name, token.scope)
        if caller.reads(environment, key):
            yield caller
    for account in file.accounts:
        caller = Caller(Kind.ACCOUNT, realm, str(account.name), str(account.name), account.scope)
        if caller.reads(environment, key):
            yield caller


def _tokens(data: bytes) -> TokensFile | None:
    try:
        return read_tokens_file(data, "")
    except ArcanError:
        return None
