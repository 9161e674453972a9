"""A mapping of names to single values, in JSON or in YAML."""

from __future__ import annotations

from typing import Any

from arcan_gitops.realms.importing.problems import BadImport, refuse_encrypted, refuse_numbers, text_of
from arcan_gitops.realms.place import Place
from arcan_gitops.realms.typed_numbers import keys_with_another_number, lines_with_another_number
from arcan_gitops.sops import SopsError
from arcan_gitops.sops.formats import format_named
from arcan_gitops.sops.limits import DEFAULT_LIMITS
from arcan_gitops.yamlio import InvalidFile, read_documents


def parse(data: bytes, source: str, *, as_json: bool) -> dict[str, Any]:
    """The one mapping of a file.

    Plain scalars in YAML mean what they mean to SOPS and kubectl, but that dates stay texts. Raises
    `BadImport`.
    """
    text = text_of(data, source)
    if as_json:  # before it is read, which fails at the first number that is too large
        refuse_numbers([f"key {key!r}" for key in keys_with_another_number(text)], source)
    try:
        if as_json:
            documents: list[Any] = format_named("json").parse(text.encode(), DEFAULT_LIMITS)
        else:
            documents = read_documents(data, source)
    except SopsError as error:
        raise BadImport(f"{source}: {error.message}") from None
    except InvalidFile as error:
        raise BadImport(error.message, hint=error.hint) from None
    if not as_json:
        refuse_numbers([f"line {line}" for line in lines_with_another_number(data)], source)
    if len(documents) > 1:
        raise BadImport(f"{source}: has more than one YAML document", hint="split the file")
    tree = documents[0] if documents else {}
    if not isinstance(tree, dict):
        raise BadImport(
            f"{source}: is not a mapping of names to values",
            hint="say what it is: --format dotenv, json, yaml",
        )
    return tree


def values_of(tree: dict[str, Any], source: str, place: Place) -> dict[str, Any]:
    """The mapping, whose values must be single ones, on their way to `place`. Raises `BadImport`."""
    refuse_encrypted(tree, source, place)
    for key, value in tree.items():
        if value is None:
            raise BadImport(f"{source}: key {key!r}: is null", hint="give it a value, or take it out")
        if isinstance(value, dict | list):
            raise BadImport(
                f"{source}: key {key!r}: is a map or a list, where a single value is wanted",
                hint="for the manifest of a Kubernetes Secret: --format kubernetes",
            )
    return tree
