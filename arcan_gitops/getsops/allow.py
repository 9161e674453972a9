"""What the getsops binary may be asked to open, and whom it may talk to: nothing, unless somebody says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.getsops.key_types import KEY_TYPES, origin
from arcan_gitops.names import did_you_mean
from arcan_gitops.sops import Unsupported
from arcan_gitops.sops.metadata import AgeKey

_AGE: Final = {"age (plugin)": "age-plugin", "age (post-quantum)": "age-pq"}


class NotAllowed(Unsupported):
    """A document needs what is not allowed. Nothing was started, and nobody was contacted."""


@dataclass(frozen=True, slots=True)
class Key:
    """One wrapped data key that is not native: its type, and what the binary would contact for it."""

    type: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllowList:
    """Key types by their names in SOPS's metadata, and addresses in the spelling of `Key.addresses`."""

    types: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, types: Iterable[str], addresses: Iterable[str]) -> AllowList:
        """Of what an operator gives. An address is whole, or for AWS, Google and Huawei the beginning of one
        that ends with ":" or "/": all keys of a region, account or key ring.

        Raises `ArcanError` for a type or address that is unknown, for a type that needs an address and has
        none, and for an address of a type that is not allowed: either would be a mistake that nobody sees.
        """
        named = frozenset(types)
        for name in sorted(named - set(KEY_TYPES)):
            raise ArcanError(f"'{name}' is not a key type", hint=did_you_mean(name, KEY_TYPES))
        read = {}
        for address in addresses:
            read[origin(address) or address] = {
                name for name, kind in KEY_TYPES.items() if kind.form(address)
            } & named
            if not read[origin(address) or address]:
                raise ArcanError(
                    f"'{address}' is not an address of an allowed key type",
                    hint=f"allow its type too, or write it as {_examples(named)}",
                )
        for name in sorted(named):
            if KEY_TYPES[name].example and not any(name in kinds for kinds in read.values()):
                raise ArcanError(
                    f"the key type '{name}' is allowed without an address",
                    hint=f"say which with --allow-key-address {KEY_TYPES[name].example}",
                )
        return cls(named, frozenset(read))

    def missing(self, keys: Iterable[Key]) -> tuple[str, ...]:
        """The options that are missing for all of the keys."""
        options: dict[str, None] = {}
        for key in keys:
            if key.type not in self.types:
                options[f"--allow-key-type {key.type}"] = None
            for address in key.addresses:
                if key.type not in self.types or not self._has(key.type, address):
                    options[f"--allow-key-address {address}"] = None
        return tuple(options)

    def _has(self, type: str, address: str) -> bool:
        if address in self.addresses:
            return True
        return KEY_TYPES[type].prefixes and any(
            allowed.endswith((":", "/")) and address.startswith(allowed) for allowed in self.addresses
        )


def keys_of(block: Mapping[str, Any]) -> tuple[Key, ...]:
    """Every key of a `sops` block that is not native: of its flat lists, and of all of its key groups, those
    too that SOPS would not use. The block must have passed `arcan_gitops.sops.metadata`.

    Raises `Malformed` for a key that SOPS would not write.
    """
    found: dict[Key, None] = {}
    for group in (block, *(block.get("key_groups") or ())):
        for name in KEY_TYPES:
            for entry in group.get(name) or ():
                found[Key(name, KEY_TYPES[name].addresses(entry))] = None
        for entry in group.get("age") or ():
            kind = AgeKey(entry["recipient"], entry["enc"]).not_native
            if kind is not None:
                found[Key(_AGE[kind], ())] = None
    return tuple(found)


def titles(keys: Sequence[Key]) -> str:
    """`AWS KMS (kms) or PGP (pgp)`."""
    names = dict.fromkeys(key.type for key in keys)
    return " or ".join(f"{KEY_TYPES[name].title} ({name})" for name in names)


def _examples(types: Iterable[str]) -> str:
    return " or ".join(KEY_TYPES[name].example for name in sorted(types) if KEY_TYPES[name].example) or "none"
