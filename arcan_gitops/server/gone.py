"""What was served since the start and is there no longer: a key, a document, a realm, its tokens.

ESO deletes Kubernetes Secrets for a key that is answered 404. Where that was meant it is no harm to hear of
it; where it was not, it is the first that anybody hears.
"""

from __future__ import annotations

import logging
from collections import Counter
from enum import Enum

from arcan_gitops.errors import some
from arcan_gitops.names import EnvironmentName, KeyName, RealmName
from arcan_gitops.realms import Snapshot

log = logging.getLogger("arcan.server")

_Place = tuple[RealmName, EnvironmentName]


class Kind(Enum):
    """What can go."""

    KEY = "key"
    DOCUMENT = "document"
    TOKENS = "tokens"
    REALM = "realm"


class Gone:
    """Told of each snapshot that takes the place of another."""

    def __init__(self) -> None:
        self._keys: dict[_Place, set[KeyName]] = {}
        self._documents: set[_Place] = set()
        self._tokens: set[RealmName] = set()
        self._realms: set[RealmName] = set()

    def note(self, before: Snapshot, after: Snapshot) -> None:
        """Log what went, and forget what is back."""
        gone = set(before.tokens) - set(after.tokens)
        for realm in sorted(gone):
            log.warning("realm %s is gone: its tokens are refused", realm)
        self._realms = (self._realms | gone) - set(after.tokens)
        held = {realm for realm, tokens in after.tokens.items() if tokens.digest}
        lost = {realm for realm, tokens in before.tokens.items() if tokens.digest} - held - gone
        for realm in sorted(lost):
            log.warning("realm %s: its tokens.yaml is gone: all its tokens are refused", realm)
        self._tokens = (self._tokens | lost) - held - self._realms
        self._note_documents(before, after, gone)

    def _note_documents(self, before: Snapshot, after: Snapshot, realms: set[RealmName]) -> None:
        left = set(after.names())
        gone = {
            place for place in before.names() if place not in left and place[0] not in realms
        } - after.failed
        for realm, environment in sorted(gone):
            log.warning("%s/%s is gone: reads of it are answered 400", realm, environment)
        self._documents = {
            place for place in self._documents | gone if place not in left and place[0] not in self._realms
        }
        for place in left:
            now, then = after.environment(*place), before.environment(*place)
            if now is None or now is then:
                continue
            keys = set(now.values) | now.failed
            lost = set() if then is None else set(then.values) - keys
            if lost:
                answered = [("404", lost if now.removed is None else lost & now.removed)]
                answered.append(("409, for no record says that they were removed", lost - answered[0][1]))
                for status, keys_gone in answered:
                    if keys_gone:
                        names = some(sorted(keys_gone), 50)
                        log.warning("%s/%s: keys are gone, and answered %s: %s", *place, status, names)
            self._keys[place] = (self._keys.get(place, set()) | lost) - keys
        self._keys = {place: keys for place, keys in self._keys.items() if keys and place in left}

    def counts(self) -> Counter[tuple[str, str, Kind]]:
        """How many there are: by realm, environment (empty where it is all of a realm) and kind."""
        found: Counter[tuple[str, str, Kind]] = Counter()
        for (realm, environment), keys in self._keys.items():
            found[realm, environment, Kind.KEY] = len(keys)
        for realm, environment in self._documents:
            found[realm, environment, Kind.DOCUMENT] = 1
        for realm in self._tokens:
            found[realm, "", Kind.TOKENS] = 1
        for realm in self._realms:
            found[realm, "", Kind.REALM] = 1
        return found
