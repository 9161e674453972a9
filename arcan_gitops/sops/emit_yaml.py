"""YAML text in the layout that SOPS writes, so that its own next edit of the file moves nothing.

Block style, lists indented under their key, four columns a level (or what the file has), texts plain where
they can be. Source: getsops/sops stores/yaml/store.go; go.yaml.in/yaml/v3 encode.go, emitterc.go.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any, Final, NamedTuple

import yaml

from arcan_gitops.golang.yaml import Ambiguous, Timestamp, resolve_plain
from arcan_gitops.sops.errors import BadValue

STEP: Final = 4
_MERGE: Final = "<<"
_DOUBLE: Final = '"'
_SIMPLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*", re.ASCII)
# What is text to YAML 1.2 and was something else to 1.1: go-yaml quotes it.
_OLD_WORDS: Final = frozenset(
    form for word in ("y", "n", "yes", "no", "on", "off", "<<") for form in (word, word.title(), word.upper())
)
_CIPHERTEXT: Final = re.compile(r"ENC\[AES256_GCM,[A-Za-z0-9+/=:,]+\]", re.ASCII)
_BOM: Final = "\ufeff"
_ESCAPES: Final = dict(zip('\0\a\b\t\n\v\f\r\x1b"\\\x85\xa0\u2028\u2029', '0abtnvfre"\\N_LP', strict=True))
_BREAK: Final = re.compile("[\n\r\x85\u2028\u2029]")
_BASE_60: Final = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?", re.ASCII)


class Piece(NamedTuple):
    """The text of a value: `head` goes behind the colon or the dash, `rest` are whole lines below it."""

    head: str
    rest: tuple[str, ...] = ()


def entry(key: str, value: Any, column: int, step: int) -> list[str]:
    """The lines of `key: value`, whose key stands at `column`. Raises `BadValue`."""
    if key == _MERGE and not _may_be_merged(value):
        raise BadValue("a key '<<' whose value is not a map: YAML takes it for a merge key")
    head, rest = piece(value, column, step)
    return [f"{' ' * column}{key_text(key)}:{head and ' '}{head}", *rest]


def item(value: Any, column: int, step: int) -> list[str]:
    """The lines of `- value`, whose dash stands at `column`. Raises `BadValue`."""
    head, rest = item_piece(value, column, step)
    return [f"{' ' * column}- {head}", *rest]


def piece(value: Any, column: int, step: int, child: int | None = None) -> Piece:
    """A value under a key at `column`; `child` is the column of what stands below, if not SOPS's own."""
    child = step * ((column + step) // step) if child is None else child
    if isinstance(value, (dict, list)) and value:
        return Piece("", tuple(block(value, child, step)))
    return _leaf(value, column, child)


def item_piece(value: Any, column: int, step: int) -> Piece:
    """A value behind a dash at `column`: a collection starts on the dash's own line."""
    if isinstance(value, (dict, list)) and value:
        first, *rest = block(value, column + 2, step)
        return Piece(first[column + 2 :], tuple(rest))
    return _leaf(value, column, column + 2)


def block(value: dict[str, Any] | list[Any], column: int, step: int) -> list[str]:
    """The lines of a collection that is not empty, its keys or dashes at `column`."""
    if isinstance(value, dict):
        return [line for key, child in value.items() for line in entry(key, child, column, step)]
    return [line for child in value for line in item(child, column, step)]


def flow(value: Any) -> str:
    """A value on one line, as it stands inside `{}` and `[]`. Raises `BadValue`."""
    if isinstance(value, dict):
        entries = (f"{_emitted(key, _DOUBLE)}: {flow(child)}" for key, child in value.items())
        return f"{{{', '.join(entries)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return text_scalar(value, _DOUBLE) if type(value) is str else plain_scalar(value)


def key_text(key: str, style: str | None = None) -> str:
    """A key as it stands before its colon."""
    if style is None and _SIMPLE.fullmatch(key) and not _needs_quotes(key):
        return key
    return text_scalar(key, style)


def text_scalar(text: str, style: str | None = None) -> str:
    """A text on one line, in the quotes asked for where they can hold it. Raises `BadValue`."""
    if style is None and text == _MERGE:
        return f"!!merge {_MERGE}"  # go-yaml tags what is not a merge key
    if style != _DOUBLE and _CIPHERTEXT.fullmatch(text):
        return f"{style or ''}{text}{style or ''}"
    return _emitted(text, style or (_DOUBLE if _needs_quotes(text) else None))


def plain_scalar(value: Any) -> str:
    """null, a boolean, a number or a timestamp, as go-yaml prints it. Raises `BadValue`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    return str(value)


def is_plain(text: str) -> bool:
    """Whether SOPS would write the text without quotes."""
    return text_scalar(text)[:1] not in ('"', "'")


def _leaf(value: Any, column: int, child: int) -> Piece:
    if isinstance(value, (dict, list)):
        return Piece("{}" if isinstance(value, dict) else "[]")
    if isinstance(value, Timestamp) or not isinstance(value, str):
        return Piece(plain_scalar(value))
    if "\n" in value:
        return _literal(value, column, child)
    return Piece(text_scalar(value))


def _literal(text: str, column: int, child: int) -> Piece:
    """`|`, where libyaml allows it for the text; else double quotes.

    No YAML reader takes a tab for the start of an indented text: what SOPS writes there it cannot read.
    """
    if (
        text[0] == "\t"
        or _BREAK.search(text.replace("\n", ""))
        or not _emitted(text.replace("\t", "x"), "|").startswith("|")
    ):
        return Piece(text_scalar(text, _DOUBLE))
    hint = str(child - column) if text[0] in " \n" else ""
    body, chomp = text, "-"
    if text.endswith("\n"):
        body = text[:-1]
        chomp = "+" if not body or body.endswith("\n") else ""
    lines = (" " * child + line if line else "" for line in body.split("\n"))
    return Piece(f"|{hint}{chomp}", tuple(lines))


def _may_be_merged(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and all(isinstance(child, dict) for child in value)
    )


def _needs_quotes(text: str) -> bool:
    """Whether a plain scalar of this text would have a second line, or another meaning to Go or YAML 1.1."""
    if _BREAK.search(text) or text in _OLD_WORDS or _BASE_60.fullmatch(text):
        return True
    try:
        return type(resolve_plain(text)) is not str
    except (Ambiguous, OverflowError):
        return True


def _emitted(text: str, style: str | None) -> str:
    """The text as libyaml's emitter, of which go-yaml's is a translation, writes it after `k: `."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadValue("a text in clear that is not UTF-8") from None
    if text.startswith(_BOM):
        return f'"{"".join(map(_escaped, text))}"'
    if style == "'" and _BREAK.search(text):
        style = _DOUBLE
    event = yaml.ScalarEvent(None, None, (True, True), text, style=style)
    events = [
        yaml.StreamStartEvent(),
        yaml.DocumentStartEvent(),
        yaml.MappingStartEvent(None, None, True, flow_style=False),
        yaml.ScalarEvent(None, None, (True, True), "k"),
        event,
        yaml.MappingEndEvent(),
        yaml.DocumentEndEvent(),
        yaml.StreamEndEvent(),
    ]
    emitted: str = yaml.emit(events, Dumper=yaml.CSafeDumper, width=2**31 - 1, allow_unicode=True)
    return emitted.removeprefix("k: ").removesuffix("\n")


def _escaped(char: str) -> str:
    """One character inside double quotes as go-yaml escapes it.

    It looks for a byte order mark at the start of the text where it means the character at hand (`is_bom`
    in yamlprivateh.go), and so escapes all of a text that starts with one.
    """
    if char in _ESCAPES:
        return f"\\{_ESCAPES[char]}"
    code = ord(char)
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _float(number: float) -> str:
    """`strconv.FormatFloat(number, 'g', -1, 64)`, and YAML's words for what is not finite."""
    if math.isnan(number):
        return ".nan"
    if math.isinf(number):
        return ".inf" if number > 0 else "-.inf"
    if number == 0:
        if math.copysign(1, number) < 0:
            raise BadValue("a negative zero in clear, whose sign SOPS loses")
        return "0"
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int)
    power = len(digits) + exponent - 1
    if -4 <= power < 6:
        return format(Decimal((sign, digits, exponent)), "f")
    mantissa = "".join(map(str, digits))
    point = f".{mantissa[1:]}" if len(mantissa) > 1 else ""
    return f"{'-' * sign}{mantissa[0]}{point}e{'-' if power < 0 else '+'}{abs(power):02d}"
