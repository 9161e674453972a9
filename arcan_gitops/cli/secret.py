"""`arcan secret`: the values of one document, one key at a time."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from arcan_gitops.cli.in_use import in_use_options
from arcan_gitops.cli.options import realms_option
from arcan_gitops.cli.output import discard_output, say, show
from arcan_gitops.cli.secret_edit import edit
from arcan_gitops.cli.secret_files import put, refuse_parts, refuse_whole, require_there
from arcan_gitops.cli.secret_import import import_values
from arcan_gitops.cli.secret_path import Steps, path_option, steps_to, there_is, value_at
from arcan_gitops.cli.secret_target import (
    KEY,
    AlreadyThere,
    Target,
    confirm_keys_unused,
    located,
    names_document,
    reason_option,
    recorded,
    refuse_present,
    require_key,
    takes_target,
)
from arcan_gitops.cli.secret_value import read_value, refuse_arguments, value_options
from arcan_gitops.cli.sops_binary import document_opener, sops_binary_options
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import EnvironmentName, KeyName, RealmName, nearest
from arcan_gitops.realms import RealmTree, text_of
from arcan_gitops.realms.environment import keys_of
from arcan_gitops.realms.generating import KINDS, MAX_LENGTH, MIN_LENGTH

_SHOWN: Final = frozenset("\n\t")


@click.group()
def secret() -> None:
    """Set, read, edit and import the secrets of a realm.

    Each command changes REALMS/REALM/ENV.sops.yaml, and in it only what its arguments name; or the files
    REALMS/REALM/ENV/KEY.sops.yaml of the keys that they name. Commit what changed. The sops program is not
    needed, and where each key has a file, 'set', 'generate', 'unset' and 'import' need no identity.
    """


# An unknown option may be a value that starts with a dash, which click would repeat in its error.
@secret.command("set", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@names_document
@click.argument("key", type=KEY)
@path_option
@value_options
@takes_target
@click.pass_context
def set_value(
    context: click.Context,
    target: Target,
    key: KeyName,
    as_path: bool | None,
    stdin: bool,
    from_file: Path | None,
    keep_newline: bool,
) -> None:
    """Set a key to a value, which is stored as text.

    Asks for the value without showing it, or reads it from --stdin or --from-file. The line break at the end
    of a one-line value is removed.

    Where each key has a file this takes no identity: the value is encrypted for those whom .sops.yaml names,
    in a new document, and nothing is decrypted. --path does take one.
    """
    refuse_arguments(context.args)
    if not as_path and (files := target.open_files(key)) is not None:
        refuse_parts(files, key, as_path, "sets")
        refuse_whole(files, key)
        files.sealing(key)  # before the value is asked for
        return put(files, {key: read_value(key, stdin, from_file, keep_newline)})
    opened = target.open()
    document, path = opened.edit(), opened.path
    steps = steps_to(document, path, key, as_path, "sets")
    there = there_is(document, path, steps)
    if there and isinstance(value_at(document, path, steps), dict | list):
        raise ArcanError(
            f"{path}: key '{key}': is a map or a list, and a text would take its place",
            hint="--path sets a part of it, 'arcan secret edit' changes all of it; or unset it first",
        )
    near = None if there or as_path else nearest(key, document.keys)
    value = read_value(key, stdin, from_file, keep_newline)
    with located(path):
        document.set(steps, value)
    if not document.save():
        say(f"unchanged: {key} in {path}")
    elif there:
        say(f"changed {key} in {path}")
    else:
        say(f"added {key} to {path}" + (f"; there is a '{near}' too" if near else ""))


@secret.command("get")
@names_document
@click.argument("key", type=KEY)
@path_option
@click.option("--reveal", is_flag=True, help="Show the value, where the output is a terminal.")
@sops_binary_options
@takes_target
def get_value(
    target: Target,
    key: KeyName,
    as_path: bool | None,
    reveal: bool,
    sops_binary: str | None,
    allow_key_type: tuple[str, ...],
    allow_key_address: tuple[str, ...],
) -> None:
    """Print the value of a key to a pipe or a file.

    Prints exactly what the server sends, without a line break at the end.
    """
    if sys.stdout is None:
        raise ArcanError("standard output is closed")
    to_terminal = sys.stdout.isatty()
    if to_terminal and not reveal:
        raise ArcanError(
            "standard output is a terminal, and the value would stay on it",
            hint="send it to a pipe or a file; --reveal shows it anyway",
        )
    opener = document_opener(sops_binary, allow_key_type, allow_key_address)
    opened = target.open(identity_required=not opener.allowed.types)
    document = opened.edit(opener.load)
    steps = steps_to(document, opened.path, key, as_path, "reads")
    value = value_at(document, opened.path, steps)
    with located(f"{opened.path}: key '{key}'"):
        text = text_of(value)
    if to_terminal:
        if not all(char.isprintable() or char in _SHOWN for char in text):
            raise ArcanError(
                f"{opened.path}: key '{key}': has characters that would control the terminal",
                hint="send it to a pipe: | cat -v",
            )
        text += "" if text.endswith("\n") else "\n"
    try:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    except OSError as error:
        discard_output()
        raise ArcanError(f"the value could not be written: {error.strerror}") from None


@secret.command("list")
@names_document
@realms_option
def list_keys(realm: RealmName, environment: EnvironmentName, realms: Path) -> None:
    """List the names of the keys, one a line; no identity is needed."""
    for name in keys_of(RealmTree(realms), realm, environment):
        show(name)


@secret.command()
@names_document
@click.argument("keys", type=KEY, nargs=-1, required=True, metavar="KEY...")
@path_option
@reason_option
@in_use_options
@takes_target
def unset(
    target: Target,
    keys: tuple[KeyName, ...],
    as_path: bool | None,
    reason: str | None,
    kustomize_dir: Path,
    yes: bool,
) -> None:
    """Remove keys, or (--path) parts of maps and lists.

    If declared apps use one, it names them and asks for confirmation, unless --yes is given. Where each key
    has a file, their files go, and without --path that takes no identity.
    """
    why = reason or "removed by 'arcan secret unset'"
    if not as_path and (files := target.open_files()) is not None:
        keys = tuple(dict.fromkeys(keys))
        for key in keys:
            refuse_parts(files, key, as_path, "removes")
        require_there(files, keys)
        files.changes({}, {}, keys)  # before anybody is asked
        confirm_keys_unused(f"removing {', '.join(keys)}", target, keys, kustomize_dir, yes=yes)
        files.remove(keys, why)
        say(f"removed {', '.join(keys)} from {files.path}{recorded(files, keys)}")
        return
    opened = target.open()
    document = opened.edit()
    paths = {key: steps_to(document, opened.path, key, as_path, "removes") for key in keys}
    for steps in paths.values():
        value_at(document, opened.path, steps)
    going = [key for key, steps in paths.items() if len(steps) == 1]
    confirm_keys_unused(f"removing {', '.join(keys)}", target, going, kustomize_dir, yes=yes)
    with located(opened.path):
        for steps in sorted(paths.values(), key=_backwards):  # so that no index means another item
            document.unset(steps)
    document.save(why)
    say(f"removed {', '.join(keys)} from {opened.path}{recorded(opened, going)}")


def _backwards(steps: Steps) -> tuple[tuple[int, str], ...]:
    return tuple((-step, "") if isinstance(step, int) else (0, step) for step in steps)


@secret.command()
@names_document
@click.argument("old", type=KEY)
@click.argument("new", type=KEY)
@reason_option
@in_use_options
@takes_target
def rename(
    target: Target, old: KeyName, new: KeyName, reason: str | None, kustomize_dir: Path, yes: bool
) -> None:
    """Give a key another name; its value and its place stay.

    If declared apps use the old name, it names them and asks for confirmation, unless --yes is given.
    """
    opened = target.open()
    document = opened.edit()
    require_key(document, opened.path, old)
    if old != new:
        confirm_keys_unused(f"renaming {old}", target, (old,), kustomize_dir, yes=yes)
    with located(opened.path):
        document.rename(old, new)
    changed = document.save(reason or f"renamed to {new}")
    say(
        f"renamed {old} to {new} in {opened.path}{recorded(opened, [old])}"
        if changed
        else f"unchanged: {opened.path}"
    )


@secret.command()
@names_document
@click.argument("key", type=KEY)
@click.option("--kind", type=click.Choice(tuple(KINDS)), default="password", show_default=True,
              help="password: letters, digits and -._~, some of each; hex; alphanumeric.")  # fmt: skip
@click.option("--length", type=click.IntRange(MIN_LENGTH, MAX_LENGTH),
              help="How many characters.  [default: 32; hex: 64]")  # fmt: skip
@click.option("--replace", is_flag=True, help="Replace the value of an existing key.")
@click.option("--show", "shown", is_flag=True, help="Print the value too, once.")
@path_option
@takes_target
def generate(
    target: Target,
    key: KeyName,
    kind: str,
    length: int | None,
    replace: bool,
    shown: bool,
    as_path: bool | None,
) -> None:
    """Set a key to a new random text, which is not shown.

    Where each key has a file, and without --path, this takes no identity.
    """
    chosen = KINDS[kind]
    length = chosen.length if length is None else length
    value = chosen.generate(length)
    if not as_path and (files := target.open_files(key)) is not None:
        refuse_parts(files, key, as_path, "sets")
        refuse_present(() if replace else files.keys, files.path, [key])
        put(files, {key: value})
        path = files.path
    else:
        opened = target.open()
        document, path = opened.edit(), opened.path
        steps = steps_to(document, path, key, as_path, "sets")
        if not replace and there_is(document, path, steps):
            raise AlreadyThere(path, [key])
        with located(path):
            document.set(steps, value)
        document.save()
    say(f"set {key} in {path}: {kind}, {length} characters, {chosen.bits(length)} bits of entropy")
    if shown:
        click.echo(value)


secret.add_command(edit)
secret.add_command(import_values)
