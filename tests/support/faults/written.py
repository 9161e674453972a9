"""What people wrote in the world of the faults: values in generations, as documents and as key files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from arcan_gitops import sops
from arcan_gitops.sops import Identities
from arcan_gitops.sops.digests import digest_of_all
from tests.support.key_files import one_data_key
from tests.support.realm_files import RealmFiles, new_identity

KEYS: Final = tuple(f"KEY_{number}" for number in range(6))
NEVER: Final = "NEVER_THERE"
PLACE: Final = "shop/prod"
_DOCUMENTS: Final = 24
_SPLIT: Final = range(3)
_SHARED: Final = range(30, 33)
_OWN: Final = range(60, 63)
_MERGED: Final = range(100, 108)
_WIDENED: Final = 1000

Mix = Mapping[str, int]  # the generation of each key


class Written:
    """The value of a key in generation N is `gN:KEY`; what came from elsewhere begins with `foreign`. Each
    value was encrypted once, so that it has one version: `versions`.

    `documents` are generations, and so are `pieces`, key files by key: split from the document, with a data
    key that they share, or each with its own. `widened` have the data key of pieces, and one recipient more, by the generation of
    these.
    """

    def __init__(self, files: RealmFiles) -> None:
        self._recipient, self._second = files.recipient, new_identity()[1]
        self.versions: dict[str, str] = {}
        self.documents = {number: self.document(number, KEYS) for number in range(_DOCUMENTS)}
        self.merged = [self.document(number, KEYS[: number % 5 + 1]) for number in _MERGED]
        self.foreign = self.document(99, KEYS, "evil/prod", "foreign")
        self.unbound = self.document(98, KEYS, None, "foreign")
        self.other_realm = self.document(97, KEYS, "other/prod", "foreign")
        held = Identities([files.identity])
        self.pieces: dict[int, Mapping[str, bytes]] = {}
        for number in _SPLIT:
            self.pieces[number] = sops.load(self.documents[number], identities=held.at(PLACE)).part(PLACE)
        self.widened: dict[int, Mapping[str, bytes]] = {}
        for number in _SHARED:
            with one_data_key():
                self.pieces[number] = {key: self.piece(key, number) for key in KEYS}
                more = number + _WIDENED
                self.widened[number] = {key: self.piece(key, more, more=True) for key in KEYS}
        for number in _OWN:
            self.pieces[number] = {key: self.piece(key, number) for key in KEYS}
        self._recent: tuple[tuple[str, Mix], ...] = ()

    def document(self, number: int, keys: tuple[str, ...], place: str | None = PLACE, by: str = "g") -> bytes:
        return self._encrypt({key: f"{by}{number}:{key}" for key in keys}, place)

    def piece(
        self, key: str, number: int, place: str | None = PLACE, by: str = "g", *, more: bool = False
    ) -> bytes:
        """A key file; with one recipient `more`, if wanted."""
        return self._encrypt({key: f"{by}{number}:{key}"}, place, *([self._second] if more else []))

    def _encrypt(self, tree: dict[str, str], place: str | None, *more: str) -> bytes:
        data = sops.encrypt(tree, recipients=[self._recipient, *more], place=place)
        self.versions |= {tree[key]: version for key, version in sops.digests(data).keys.items()}
        return data

    def mean(self, mix: Mix) -> None:
        """People wrote this, and manifests may name its version from now on."""
        version = self.version_of(self.values(mix))
        if (version, mix) not in self._recent:
            self._recent = (*self._recent, (version, dict(mix)))[-8:]  # others read it meanwhile

    @property
    def meant(self) -> Mapping[str, Mix]:
        """What people meant lately, by its version."""
        return dict(self._recent)

    def version_of(self, values: Mapping[str, str]) -> str:
        """The version of an environment that has these values."""
        return digest_of_all({key: self.versions[value] for key, value in values.items()})

    @staticmethod
    def values(mix: Mix) -> dict[str, str]:
        return {key: f"g{number}:{key}" for key, number in mix.items()}
