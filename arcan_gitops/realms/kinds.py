"""`kinds` of `realm.yaml`: what the values of keys must look like, told where a value is at hand.

    kinds:
      DATABASE_URL: url
      "*_PEM": pem
      "*_PASSWORD": at least 16 characters

A key that is named counts before globs; of several globs each counts. No message repeats a value.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.realms.text import text_of

_AT_LEAST: Final = re.compile(r"at least ([1-9][0-9]{0,3}) characters?", re.ASCII)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]*://\S+", re.ASCII)  # jdbc:postgresql://... too
_INTEGER: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)
_PEM: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\r?\n[A-Za-z0-9+/=\s:,-]+?-----END \1-----")

KINDS: Final = "url, pem, json, integer, base64, or 'at least 16 characters'"


Kinds = Sequence[tuple[str, str]]  # (key or glob, kind)


class WrongKind(ArcanError):
    """A value that is not what `realm.yaml` says that it must be."""


def is_kind(text: str) -> bool:
    """Whether a text names a kind."""
    return text in _CHECKS or _AT_LEAST.fullmatch(text) is not None


def require_kinds(values: Mapping[str, Any], kinds: Kinds) -> None:
    """Raise `WrongKind` for a value that is not of its kind; for several, `SeveralErrors` with each."""
    problems: list[ArcanError] = []
    for key, value in values.items() if kinds else ():
        if (wrong := wrong_kind(key, text_of(value), kinds)) is not None:
            problems.append(WrongKind(f"key '{key}': {wrong}", hint="see 'kinds' in the realm's realm.yaml"))
    if len(problems) > 1:
        raise SeveralErrors(f"{len(problems)} values are not what realm.yaml wants:", problems)
    if problems:
        raise problems[0]


def wrong_kind(key: str, text: str, kinds: Kinds) -> str | None:
    """What is wrong with the value of a key, and what it has to be; None where nothing is."""
    for kind in _kinds_of(key, kinds):
        if (wrong := _wrong(kind, text)) is not None:
            return f"{wrong} (realm.yaml, kinds: {kind})"
    return None


def _kinds_of(key: str, kinds: Kinds) -> Iterator[str]:
    named = [kind for glob, kind in kinds if glob == key]
    yield from named or dict.fromkeys(kind for glob, kind in kinds if fnmatchcase(key, glob))


def _wrong(kind: str, text: str) -> str | None:
    """What is wrong with a value, or None."""
    if (least := _AT_LEAST.fullmatch(kind)) is not None:
        return (
            None if len(text) >= int(least[1]) else f"has {len(text)} characters, where {least[1]} are wanted"
        )
    problem, check = _CHECKS[kind]
    try:
        return None if check(text) else problem
    except ValueError:  # UnicodeError and JSONDecodeError among them
        return problem


def _is_pem(text: str) -> bool:
    """One or more blocks and nothing else; what is a certificate or a key can be read as one."""
    rest = text.strip()
    if not rest:
        return False
    while rest:
        block = _PEM.match(rest)
        if block is None:
            return False
        if block[1] == "CERTIFICATE":
            x509.load_pem_x509_certificate(block[0].encode())
        elif block[1] == "PUBLIC KEY":
            load_pem_public_key(block[0].encode())
        elif block[1].endswith("PRIVATE KEY"):
            with suppress(TypeError, UnsupportedAlgorithm):  # it has a passphrase, or is of another world
                load_pem_private_key(block[0].encode(), None)
        rest = rest[block.end() :].lstrip()
    return True


def _is_json(text: str) -> bool:
    json.loads(text)
    return True


def _is_base64(text: str) -> bool:
    base64.b64decode("".join(text.split()), validate=True)
    return bool(text.strip())


_CHECKS: Final[Mapping[str, tuple[str, Callable[[str], bool]]]] = {
    "url": ("is not a URL, as in https://host/path", lambda text: _URL.fullmatch(text) is not None),
    "pem": ("is not PEM: '-----BEGIN ...-----' to '-----END ...-----', and nothing else", _is_pem),
    "json": ("is not JSON", _is_json),
    "integer": ("is not an integer in decimal", lambda text: _INTEGER.fullmatch(text) is not None),
    "base64": ("is not base64, padded", _is_base64),
}
