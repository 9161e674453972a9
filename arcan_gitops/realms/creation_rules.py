"""One creation rule of `.sops.yaml`: for whom, and by which selection rule, a document is encrypted.

Source: getsops/sops config/config.go (creationRule, keyGroup, getKeyGroupsFromCreationRule). What sops would
pass over in silence though it looks like a field of its own (`path_regexp`, keys beside `key_groups`) is
refused: whoever reads the rule would be misled about who can read the document. Other fields are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import nearest
from arcan_gitops.sops import BadRecipient, Recipients, Unsupported
from arcan_gitops.sops.metadata import RULES, AgeKey
from arcan_gitops.sops.rules import regular_expression, selection
from arcan_gitops.sops.wrapping import check_recipient
from arcan_gitops.yamlio import Fields, InvalidFile

# What a rule may hold -> the key type, as documents name it. Each is a text with commas, or a list of texts.
_FLAT: Final = {
    "age": "age",
    "kms": "kms",
    "gcp_kms": "gcp_kms",
    "hckms": "hckms",
    "azure_keyvault": "azure_kv",
    "hc_vault_transit_uri": "hc_vault",
    "pgp": "pgp",
}
# What a key group may hold -> the key type, and the field of each key; None where a key is a text.
_GROUPED: Final = {
    "age": ("age", None),
    "kms": ("kms", "arn"),
    "gcp_kms": ("gcp_kms", "resource_id"),
    "hckms": ("hckms", "key_id"),
    "azure_keyvault": ("azure_kv", "vaultUrl"),
    "hc_vault": ("hc_vault", None),
    "pgp": ("pgp", None),
}
_FIELDS: Final = (
    "path_regex", *_FLAT, "aws_profile", "key_groups", "shamir_threshold", *RULES, "mac_only_encrypted",
)  # fmt: skip
_MAX_KEYS: Final = 2_000  # of one rule, counted at each alias: a few aliases could mean billions
_MAX_MERGES: Final = 20


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """One key group of a rule: its age recipients, and the key types of its other keys (`pgp`, `kms`)."""

    age: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def not_native(self) -> tuple[str, ...]:
        """The key types that take the getsops binary."""
        kinds = (AgeKey(recipient, "").not_native for recipient in self.age)
        return (*self.others, *(kind for kind in kinds if kind))


@dataclass(frozen=True, slots=True)
class CreationRule:
    """One rule. `name` says which, for messages: `rule 2`.

    `groups` is empty where the rule names no key at all: sops takes them from its command line then.
    `shamir_threshold` is 0 where it has none, and `selection` (name, argument) None.
    """

    name: str
    path_regex: str
    groups: tuple[RuleGroup, ...]
    shamir_threshold: int
    selection: tuple[str, str] | None
    mac_only_encrypted: bool

    @classmethod
    def parse(cls, fields: Fields, number: int) -> CreationRule:
        """Raises `InvalidFile`, with the line and the number."""
        with _numbered(number):
            return _rule(fields, f"rule {number}")

    @property
    def age(self) -> tuple[str, ...]:
        """All age recipients, in the order of the rule, each once."""
        return tuple(dict.fromkeys(text for group in self.groups for text in group.age))

    @property
    def other_key_types(self) -> tuple[str, ...]:
        """The key types that are not age, sorted."""
        return tuple(sorted({name for group in self.groups for name in group.others}))

    def recipients(self) -> Recipients:
        """For whom a document of this rule is encrypted.

        Raises `Unsupported` where it needs a key type that is not native, and `BadRecipient` where it names
        nobody at all.
        """
        kinds = sorted({kind for group in self.groups for kind in group.not_native})
        if kinds:
            raise Unsupported(
                f"{self.name} needs {', '.join(kinds)}, which is not encrypted for natively",
                hint="encrypt with the getsops binary, or give the rule age and SSH recipients only",
            )
        return Recipients(tuple(group.age for group in self.groups), self.shamir_threshold)


def applies(fields: Fields, number: int, path: str) -> bool:
    """Whether a rule is for the path, relative to the folder of `.sops.yaml`; no more of it is judged.

    Raises `InvalidFile`, with the line and the number, for a `path_regex` that is none, or that is misspelt:
    the rule would be for every path.
    """
    with _numbered(number):
        path_regex = fields.text("path_regex", default="")
        if not path_regex:
            _refuse_misspelt(fields, ("path_regex",))
            return True
        try:
            return regular_expression(path_regex, "'path_regex'")(path)
        except ArcanError as error:
            fields.fail(error.message, field="path_regex")


@contextmanager
def _numbered(number: int) -> Iterator[None]:
    try:
        yield
    except InvalidFile as error:
        raise InvalidFile(f"{error.message} (rule {number})", hint=error.hint) from None


def _refuse_misspelt(fields: Fields, known: Sequence[str]) -> None:
    """Refuse what was probably meant as one of the known fields: sops ignores it without a word."""
    for field in fields.names():
        if not field or field in known or field in _FIELDS:
            continue
        near = nearest(field, known) or next(
            (name for name in known if name.startswith(field) or field.startswith(f"{name}_")), None
        )
        if near is not None:
            fields.fail(f"unknown field '{field}'", field=field, hint=f"did you mean '{near}'?")


def _rule(fields: Fields, name: str) -> CreationRule:
    _refuse_misspelt(fields, _FIELDS)
    path_regex = fields.text("path_regex", default="")
    groups = _groups(fields)
    return CreationRule(
        name=name,
        path_regex=path_regex,
        groups=groups,
        shamir_threshold=_threshold(fields, len(groups)),
        selection=_selection(fields),
        mac_only_encrypted=fields.flag("mac_only_encrypted"),
    )


def _selection(fields: Fields) -> tuple[str, str] | None:
    given = {name: text for name in RULES if (text := fields.text(name, default=""))}
    if len(given) > 1:
        fields.fail(f"more than one selection rule: {', '.join(given)}", hint="keep one of them")
    for rule in given.items():
        try:
            selection(rule)
        except Unsupported:  # by comments; that is for whoever wants to encrypt by it
            pass
        except ArcanError as error:
            fields.fail(error.message.removeprefix("sops."), field=rule[0])
        return rule
    return None


def _threshold(fields: Fields, groups: int) -> int:
    """SOPS ignores the threshold of one group."""
    threshold = fields.integer("shamir_threshold", default=0)
    if threshold < 0 or (groups > 1 and threshold and not 2 <= threshold <= groups):
        fields.fail(
            f"'shamir_threshold' is {threshold}, and there are {groups} key groups",
            field="shamir_threshold",
            hint="it is how many groups open a document together: 2 or more, and all of them by default",
        )
    return threshold


def _groups(fields: Fields) -> tuple[RuleGroup, ...]:
    """The flat fields are one group; sops ignores them beside `key_groups`."""
    flat = [(kind, text) for name, kind in _FLAT.items() for text in _texts(fields, name)]
    if "key_groups" not in fields or not fields.items("key_groups"):
        return (_group(fields, flat),) if flat else ()
    if flat:
        beside = next(name for name in _FLAT if name in fields)
        fields.fail(
            f"'{beside}' stands beside 'key_groups', where sops ignores it",
            field=beside,
            hint="move it into one of the groups",
        )
    groups = []
    for listed in fields.mappings("key_groups"):
        group = _group(listed, (key for part in _merged(listed, 0) for key in _keys(part)))
        if not group.age and not group.others:
            listed.fail("a key group without keys")
        groups.append(group)
    return tuple(groups)


def _texts(fields: Fields, name: str) -> tuple[str, ...]:
    """The keys of a flat field."""
    if fields.is_text(name):
        return _parted(fields.text(name))
    try:
        items = fields.optional_texts(name) or ()
    except InvalidFile:
        fields.fail(f"'{name}' must be a text, or a list of texts", field=name)
    return tuple(key for item in items for key in _parted(item))


def _parted(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _merged(group: Fields, depth: int) -> list[Fields]:
    """The groups that `merge` brings in, and the group itself, in the order of their keys."""
    _refuse_misspelt(group, ("merge", *_GROUPED))
    if depth > _MAX_MERGES:
        group.fail("'merge' goes too deep", field="merge")
    found: list[Fields] = []
    for other in group.mappings("merge"):
        found += _merged(other, depth + 1)
        if len(found) > _MAX_KEYS:
            group.fail("'merge' brings in too much", field="merge")
    return [*found, group]


def _keys(group: Fields) -> Iterator[tuple[str, str]]:
    """(key type, key) of each key of a group."""
    for name, (kind, key_field) in _GROUPED.items():
        if key_field is not None:
            yield from ((kind, key.text(key_field)) for key in group.mappings(name))
            continue
        for text in group.optional_texts(name) or ():
            yield from ((kind, part) for part in _parted(text))


def _group(fields: Fields, keys: Iterable[tuple[str, str]]) -> RuleGroup:
    """The keys of one group, each once."""
    age: dict[str, None] = {}
    others: dict[str, None] = {}
    for count, (kind, text) in enumerate(keys):
        if count >= _MAX_KEYS:
            fields.fail(f"more than {_MAX_KEYS} keys")
        if kind != "age":
            others[kind] = None
        elif text not in age:
            age[text] = None
            try:
                check_recipient(text)
            except BadRecipient as error:
                fields.fail(error.message, field="age", hint=error.hint)
            except Unsupported:  # a plugin's, which is for whoever wants to encrypt for it
                pass
    return RuleGroup(tuple(age), tuple(others))
