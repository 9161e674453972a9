"""`realms/<realm>/realm.yaml`: what a realm allows; a document can allow itself nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from arcan_gitops.names import RealmName
from arcan_gitops.realms.tree import RealmTree, read_file
from arcan_gitops.yamlio import read_mapping

_MAX_GLOBS: Final = 100  # each key is held against each of them


@dataclass(frozen=True, slots=True)
class RealmSettings:
    """Case-sensitive globs over top-level keys that may hold values in clear, or empty values."""

    allow_unencrypted: tuple[str, ...] = ()
    allow_empty: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: bytes, source: str) -> RealmSettings:
        """Raises `InvalidFile`, with the line, for anything but the two lists."""
        fields = read_mapping(data, source)
        settings = cls(
            allow_unencrypted=fields.optional_texts("allowUnencrypted") or (),
            allow_empty=fields.optional_texts("allowEmpty") or (),
        )
        fields.done()
        for field in ("allowUnencrypted", "allowEmpty"):
            if len(fields.optional_texts(field) or ()) > _MAX_GLOBS:
                fields.fail(f"'{field}' has more than {_MAX_GLOBS} globs", field=field)
        return settings


def settings_of(tree: RealmTree, realm: RealmName) -> RealmSettings:
    """What a realm allows: nothing where it has no `realm.yaml`. Raises `InvalidFile`, `CannotRead`."""
    path = tree.realm_file(realm)
    return RealmSettings() if path is None else RealmSettings.parse(read_file(path), str(path))
