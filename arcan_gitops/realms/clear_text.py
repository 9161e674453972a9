"""A document's values as a text that a person edits, and what that person changed.

The text is YAML in SOPS's own layout, without the document's comments: those stay in the document. What was
not changed is not touched, so that its ciphertext stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import InvalidName, KeyName
from arcan_gitops.realms.environment import Edit
from arcan_gitops.realms.typed_numbers import lines_with_another_number
from arcan_gitops.sops import DuplicateKey, NoKeys, SopsError, Unsupported
from arcan_gitops.sops.emit_yaml import STEP, block
from arcan_gitops.sops.formats import format_named
from arcan_gitops.sops.limits import DEFAULT_LIMITS
from arcan_gitops.sops.trees import Path, Tree, same

_YAML: Final = format_named("yaml")


def clear_text(tree: Mapping[str, Any]) -> bytes:
    """The values of a document in YAML, as SOPS lays it out. Raises `ArcanError`, naming the key."""
    for key, value in tree.items():
        try:
            text = _text({key: value})
            if same(_YAML.parse(text, DEFAULT_LIMITS), [{key: value}]):
                continue
        except SopsError:
            pass
        raise ArcanError(
            f"key '{key}': has a value that YAML cannot show as it is",
            hint="change it by 'arcan secret set', or remove it by 'arcan secret unset'",
        )
    return _text(dict(tree))


def _text(tree: Tree) -> bytes:
    return ("\n".join(block(tree, 0, STEP)) + "\n").encode()


def read_clear_text(data: bytes) -> Tree:
    """What was typed, by the rules that SOPS reads YAML by.

    Raises `ArcanError`, which names a line and nothing of what stands in it, and `NoKeys`.
    """
    try:
        trees = _YAML.parse(data, DEFAULT_LIMITS)
    except DuplicateKey as error:
        raise ArcanError(f"what was typed, {error.message.partition(':')[0]}: a key is given twice") from None
    except Unsupported as error:
        raise ArcanError(
            f"what was typed, {error.message}", hint="put the value in quotes if it should be text"
        ) from None
    except NoKeys:
        trees = []
    except SopsError as error:
        raise ArcanError(f"what was typed, {error.message}", hint=error.hint) from None
    for line in lines_with_another_number(data):
        raise ArcanError(
            f"what was typed, line {line}: a number that would be served as another text",
            hint="put it in quotes, or write it as a plain decimal number",
        )
    if len(trees) > 1:
        raise ArcanError("what was typed: several YAML documents ('---') where one is wanted")
    if not trees or not trees[0]:
        raise NoKeys("what was typed: no key at all", hint="to remove the environment, delete its file")
    return trees[0]


def apply_changes(document: Edit, before: Tree, after: Tree) -> tuple[str, ...]:
    """Edit the document by what differs between two readings of its text; the top-level keys that differ.

    `before` is what `read_clear_text` makes of the text as it was given, `after` as it was typed. The order
    of keys stays. Raises `InvalidName` for a new key that has no name, which is not repeated (it may be a
    value that lost its key), and what `Document.set`, `unset` and `rename` raise.
    """
    _check_names(before, after)
    _apply_map(document, (), before, after)
    return tuple(
        key
        for key in dict.fromkeys((*before, *after))
        if key not in before or key not in after or not same(before[key], after[key], exact=True)
    )


def _check_names(before: Tree, after: Tree) -> None:
    place = "at the top"
    for key in after:
        if key not in before and KeyName.grammar.fullmatch(key) is None:
            raise InvalidName(
                f"what was typed: the key {place} is not a valid key name",
                hint=f"a key name is {KeyName.rule}",
            )
        place = f"below '{key}'"


def _apply_map(document: Edit, path: Path, before: Tree, after: Tree) -> None:
    removed = [key for key in before if key not in after]
    for key, value in after.items():
        if key not in before:
            old = next((name for name in removed if same(before[name], value, exact=True)), None)
            if old is not None:
                removed.remove(old)
                document.rename((*path, old), key)
            else:
                document.set((*path, key), value)
        else:
            _apply(document, (*path, key), before[key], value)
    for key in removed:
        document.unset((*path, key))


def _apply(document: Edit, path: Path, before: Any, after: Any) -> None:
    if same(before, after, exact=True):
        return
    if isinstance(before, dict) and isinstance(after, dict) and before and after:
        _apply_map(document, path, before, after)
    elif isinstance(before, list) and isinstance(after, list) and before and after:
        _apply_list(document, path, before, after)
    else:
        document.set(path, after)


def _apply_list(document: Edit, path: Path, before: list[Any], after: list[Any]) -> None:
    """Item by item where the lists show which item became which; else the list as a whole."""
    shorter = min(len(before), len(after))
    start = next((at for at in range(shorter) if not same(before[at], after[at], exact=True)), shorter)
    if len(before) == len(after):
        for at in range(start, shorter):
            _apply(document, (*path, at), before[at], after[at])
    elif start == len(before):
        for at in range(start, len(after)):
            document.set((*path, at), after[at])
    else:
        end = next(
            (at for at in range(shorter - start) if not same(before[-1 - at], after[-1 - at], exact=True)),
            shorter - start,
        )
        if start + end == len(after):
            for at in reversed(range(start, len(before) - end)):
                document.unset((*path, at))
        else:
            document.set(path, after)
