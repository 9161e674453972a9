"""What a request of the operator's two routes asks for, parsed strictly."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from arcan_gitops.names import EnvironmentName, InvalidName, KeyName, RealmName, SecretRef
from arcan_gitops.server.answers import Refusal
from arcan_gitops.webhook import ENVIRONMENT_PARAMETER, PATH_PREFIX, VERSION_PARAMETER

_PREFIX: Final = PATH_PREFIX.split("/")
_PARAMETERS: Final = {ENVIRONMENT_PARAMETER, VERSION_PARAMETER}


def parse_target(path: str, query: str) -> tuple[SecretRef, str]:
    """(what, version) of `/api/v1/eso/REALM[/KEY]?env=ENVIRONMENT[&version=VERSION]`, each name matching its
    whole grammar. Raises `Refusal`.

    The path comes decoded once: an escaped slash is one more segment, and what is left of a double
    escape, a `+`, a space or a non-ASCII letter is in no grammar. A version is compared and nothing else, so
    that it has no grammar; empty, it names none.
    """
    parts = path.split("/")
    if parts[:4] != _PREFIX or len(parts) not in (5, 6):
        raise Refusal("malformed_path", f"the routes are {PATH_PREFIX}/REALM/KEY and {PATH_PREFIX}/REALM")
    try:
        realm = RealmName.parse(parts[4])
        key = KeyName.parse(parts[5]) if len(parts) == 6 else None
    except InvalidName as error:
        raise Refusal("malformed_path", error.hint or "a malformed name") from None
    name, version = _parameters(query)
    try:
        environment = EnvironmentName.parse(name)
    except InvalidName as error:
        raise Refusal("malformed_query", error.hint or "a malformed environment") from None
    return SecretRef(realm, environment, key), version


def _parameters(query: str) -> tuple[str, str]:
    """(`env`, `version` or empty), each at most once: what else a query says must not be passed over."""
    pairs = parse_qsl(query, keep_blank_values=True)
    values = dict(pairs)
    if len(values) != len(pairs) or ENVIRONMENT_PARAMETER not in values or not values.keys() <= _PARAMETERS:
        raise Refusal(
            "malformed_query", "the query must be env=ENVIRONMENT, or env=ENVIRONMENT&version=VERSION, once"
        )
    return values[ENVIRONMENT_PARAMETER], values.get(VERSION_PARAMETER, "")
