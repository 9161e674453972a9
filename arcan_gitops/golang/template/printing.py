"""Go's `fmt` for the values of a template: `Sprint`, `Sprintln`, `Sprintf`.

Source: Go fmt print.go and format.go.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from arcan_gitops.golang.errors import NotSupported
from arcan_gitops.golang.template.values import List, Map, Missing, Value, type_name
from arcan_gitops.golang.text import go_quote

_VERB: Final = re.compile(r"%([-+# 0]*)([1-9][0-9]*)?(?:\.([0-9]*))?(.)?", re.DOTALL)


def shown(value: Value) -> str:
    """The value as an action prints it: `<no value>` for a missing one."""
    return "<no value>" if isinstance(value, Missing) or value is None else plain(value)


def plain(value: Value) -> str:
    """`%v`."""
    match value:
        case None | Missing():
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case float():
            return general(value)
        case Map():
            return "map[" + " ".join(f"{key}:{plain(value[key])}" for key in sorted(value)) + "]"
        case List():
            return "[" + " ".join(map(plain, value)) + "]"
    return str(int(value))


def general(number: float) -> str:
    """`%v` of a float64: the shortest digits, an exponent below 1e-4 and from 1e6 on."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    if number == 0:
        return "-0" if math.copysign(1, number) < 0 else "0"
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int)
    scale = len(digits) + exponent - 1
    if -4 <= scale < 6:
        return format(Decimal(repr(number)), "f").removesuffix(".0")
    text = "".join(map(str, digits))
    mantissa = text[0] + ("." + text[1:] if len(text) > 1 else "")
    return f"{'-' if sign else ''}{mantissa}e{'-' if scale < 0 else '+'}{abs(scale):02d}"


def sprint(values: Sequence[Value]) -> str:
    """`Sprint`: a space between two values of which neither is a string."""
    parts: list[str] = []
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            parts.append(" ")
        parts.append(plain(value))
    return "".join(parts)


def sprintln(values: Sequence[Value]) -> str:
    """`Sprintln`."""
    return " ".join(map(plain, values)) + "\n"


def sprintf(form: str, values: Sequence[Value]) -> str:
    """`Sprintf`, also where verbs and values do not fit. Raises `NotSupported` for `%*d` and `%[1]d`."""
    parts: list[str] = []
    at = used = 0
    while (start := form.find("%", at)) >= 0:
        parts.append(form[at:start])
        match = _VERB.match(form, start)
        assert match is not None  # all of its parts are optional
        at = match.end()
        flags, width, precision, verb = match.groups()
        if verb is None:
            parts.append("%!(NOVERB)")
        elif verb in "*[":
            raise NotSupported(f"printf with %{verb}")
        elif verb == "%":
            parts.append("%")
        elif used >= len(values):
            parts.append(f"%!{verb}(MISSING)")
        else:
            parts.append(_formatted(values[used], verb, flags, width, precision))
            used += 1
    parts.append(form[at:])
    if used < len(values):
        extra = ", ".join(
            "<nil>" if value is None else f"{type_name(value)}={plain(value)}" for value in values[used:]
        )
        parts.append(f"%!(EXTRA {extra})")
    return "".join(parts)


def _formatted(value: Value, verb: str, flags: str, width: str | None, precision: str | None) -> str:
    if verb == "T":
        return _padded(type_name(value), flags, width)
    if value is None:
        return _padded("<nil>", flags, width) if verb == "v" else f"%!{verb}(<nil>)"
    if isinstance(value, Map | List):
        if (
            verb not in "vs"
            or flags
            or width
            or precision is not None
            or (verb == "s" and not _all_texts(value))
        ):
            raise NotSupported(f"printf with %{verb} of a {type_name(value)}")
        return plain(value)
    digits = None if precision is None else int(precision or "0")
    text = None
    if isinstance(value, str):
        text = _text(value, verb, flags, digits)
    elif isinstance(value, bool):
        text = plain(value) if verb in "tv" else None
    elif isinstance(value, int):
        text = _integer(value, verb, flags, width, digits)
    elif isinstance(value, float):
        text = _float(value, verb, flags, width, digits)
    if text is None:
        return f"%!{verb}({type_name(value)}={plain(value)})"
    return _padded(text, flags, width)


def _all_texts(value: Map | List) -> bool:
    return all(isinstance(item, str) for item in (value.values() if isinstance(value, Map) else value))


def _padded(text: str, flags: str, width: str | None) -> str:
    missing = int(width or "0") - len(text)
    if missing <= 0:
        return text
    if "-" in flags:
        return text + " " * missing
    if "0" not in flags:
        return " " * missing + text
    sign = text[0] if text[:1] in ("+", "-") else ""
    return sign + "0" * missing + text[len(sign) :]


def _text(value: str, verb: str, flags: str, digits: int | None) -> str | None:
    shown = value if digits is None else value[:digits]
    if verb in "sv" and not ("#" in flags and verb == "v"):
        return shown
    if verb in "xX" and not flags.strip("-0") and digits is None:
        text = value.encode("utf-8", "surrogateescape").hex()
        return text.upper() if verb == "X" else text
    if verb in "qv":
        if flags.strip("-0"):
            if verb == "v" and flags.strip("-0") == "#":
                return go_quote(shown)
            raise NotSupported(f"printf with %{flags}{verb}")
        return go_quote(shown)
    if verb in "xX":
        raise NotSupported(f"printf with %{flags}{verb}")
    return None


def _integer(value: int, verb: str, flags: str, width: str | None, digits: int | None) -> str | None:
    forms = {"d": "d", "v": "d", "x": "x", "X": "X", "o": "o", "b": "b"}
    if verb == "c":
        return chr(value)
    if verb not in forms:
        if verb in "qUO":
            raise NotSupported(f"printf with %{verb} of a number")
        return None
    if "#" in flags or digits is not None:
        raise NotSupported(f"printf with %{flags}{verb}")
    sign = "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""
    return sign + format(abs(value), forms[verb])


def _float(value: float, verb: str, flags: str, width: str | None, digits: int | None) -> str | None:
    if verb in "vg" and digits is None:
        text = general(value)
    elif verb in "fF":
        text = format(value, f".{6 if digits is None else digits}f")
    elif verb == "e":
        text = format(value, f".{6 if digits is None else digits}e")
    elif verb in "vgEGxXb":
        raise NotSupported(f"printf with %{verb} of a number")
    else:
        return None
    if "#" in flags or not math.isfinite(value):
        raise NotSupported(f"printf with %{flags}{verb}")
    signed = not text.startswith("-")
    return ("+" if signed and "+" in flags else " " if signed and " " in flags else "") + text
