"""The functions of a template: the few of sprig's that stores and ExternalSecrets are written with.

A new one is a new entry. Source: github.com/external-secrets/sprig v3.3.0 (strings.go, defaults.go).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, TypeAlias

from arcan_gitops.golang import base64 as go_base64
from arcan_gitops.golang.errors import GoError
from arcan_gitops.golang.text import go_quote, to_lower, to_upper, trim_space

_VERB: Final = re.compile(r"(%.?)", re.DOTALL)


class Missing:
    """Go's invalid value: what a map without the key gives; prints as `<no value>`."""

    __slots__ = ()


MISSING: Final = Missing()

Value: TypeAlias = str | int | Mapping[str, "Value"] | Missing


@dataclass(frozen=True, slots=True)
class Function:
    """`texts`: each argument must be a string; `variadic`: `arity` is the least number of arguments."""

    arity: int
    apply: Callable[..., Value]
    texts: bool = True
    variadic: bool = False


def shown(value: Value) -> str:
    """The value as `fmt.Sprint` prints it; `<no value>` for a missing one."""
    if isinstance(value, Missing):
        return "<no value>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{name}:{shown(value[name])}" for name in sorted(value)) + "]"
    return str(value)


def truth(value: Value) -> bool:
    """Whether `if` takes the value for true: not missing, empty, zero or false."""
    return not isinstance(value, Missing) and bool(value)


def _b64enc(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")


def _b64dec(text: str) -> str:
    try:
        return go_base64.decode(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
    except GoError as error:
        return str(error)  # sprig puts the error's text in place of the value


def _default(fallback: Value, *given: Value) -> Value:
    return given[0] if given and truth(given[0]) else fallback


def _quote(*values: Value) -> str:
    return " ".join(go_quote(shown(value)) for value in values if not isinstance(value, Missing))


def _index(item: Value, *keys: Value) -> Value:
    """`index .map "key"`: unlike `.map.key`, a missing key gives the empty value, not `<no value>`."""
    for key in keys:
        if isinstance(item, Missing):
            raise GoError("error calling index: index of untyped nil")
        if not isinstance(item, Mapping) or not isinstance(key, str):
            raise LookupError
        nested = any(isinstance(member, Mapping) for member in item.values())
        item = item.get(key, {} if nested else "")
    return item


def _printf(form: str, *texts: str) -> str:
    """`fmt.Sprintf` as far as `%s` and `%%` go, which is all that manifests of ours say."""
    parts = _VERB.split(form)
    if any(verb not in ("%s", "%%") for verb in parts[1::2]) or parts[1::2].count("%s") != len(texts):
        raise LookupError
    given = iter(texts)
    verbs = (next(given) if verb == "%s" else "%" for verb in parts[1::2])
    return "".join(text for pair in zip_longest(parts[::2], verbs, fillvalue="") for text in pair)


FUNCTIONS: Final[Mapping[str, Function]] = {
    "b64dec": Function(1, _b64dec),
    "b64enc": Function(1, _b64enc),
    "default": Function(1, _default, texts=False, variadic=True),
    "index": Function(1, _index, texts=False, variadic=True),
    "lower": Function(1, to_lower),
    "printf": Function(1, _printf, variadic=True),
    "quote": Function(0, _quote, texts=False, variadic=True),
    "replace": Function(3, lambda old, new, text: text.replace(old, new)),
    "trim": Function(1, trim_space),
    "upper": Function(1, to_upper),
}
