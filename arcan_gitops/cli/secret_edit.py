"""`arcan secret edit`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from arcan_gitops.cli.in_use import at_a_terminal, in_use_options
from arcan_gitops.cli.output import say, say_error
from arcan_gitops.cli.secret_target import (
    Target,
    confirm_keys_unused,
    names_document,
    recorded,
    takes_target,
)
from arcan_gitops.editor import Editor
from arcan_gitops.errors import ArcanError, printable
from arcan_gitops.memory_folder import NoMemoryFolder, memory_folder
from arcan_gitops.names import KeyName
from arcan_gitops.realms.clear_text import apply_changes, clear_text, read_clear_text
from arcan_gitops.realms.editing import ChangedMeanwhile, OpenDocument
from arcan_gitops.realms.key_files import OpenFiles
from arcan_gitops.sops.trees import Tree

_SECONDS_OF_AN_EDIT: Final = 1


@click.command()
@names_document
@in_use_options
@takes_target
def edit(target: Target, kustomize_dir: Path, yes: bool) -> None:
    """Edit all values of an environment in an editor.

    The editor is the command in SOPS_EDITOR, else in EDITOR, else vim, nano or vi. It gets the values in
    clear, as YAML, in a private folder on a memory file system ($XDG_RUNTIME_DIR or /dev/shm). The folder is
    removed however the editor or this command ends. vim keeps no swap file, backup, undo file or viminfo of
    it, and nano no backup; what other editors keep elsewhere is up to them. An editor with a window of its
    own must be told to wait: EDITOR='code --wait'. Without a terminal nothing is opened.

    Only changed values are encrypted again. Comments of the document are not shown, and stay; comments that
    are typed are not taken over. An editor that fails (vim: :cq) changes nothing.
    """
    opened = target.open()
    folder = opened.path if opened.path.is_dir() else opened.path.parent
    if not os.access(folder, os.W_OK):
        raise ArcanError(f"{folder}: cannot be written to; nothing was opened")
    text = clear_text(opened.edit().tree)
    if not _editor_has_a_terminal():
        raise ArcanError(
            "there is no terminal for the editor; nothing was opened",
            hint="run it at a terminal; in a script: "
            f"{target.place.command('secret set', 'KEY', '--stdin')}, "
            f"or all keys of a file: {target.place.command('secret import', '-', '--replace')}",
        )
    editor = Editor.choose((os.environ.get("SOPS_EDITOR"), os.environ.get("EDITOR")))
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    candidates = [*([Path(runtime)] if runtime else []), Path("/dev/shm")]  # noqa: S108
    with _without_memory(target), memory_folder(candidates) as private:
        file = private / f"{target.realm}-{target.environment}.yaml"
        file.touch(0o600)
        file.write_bytes(_header(opened) + text)

        def allow(removed: Sequence[KeyName]) -> None:
            if removed:
                what = f"removing {', '.join(removed)}"
                confirm_keys_unused(what, target, removed, kustomize_dir, yes=yes)

        changed = _edited(opened, file, editor, text, allow)
    say(f"{opened.path}: {changed}" if changed else f"unchanged: {opened.path}")


@contextmanager
def _without_memory(target: Target) -> Iterator[None]:
    """Where there is no memory file system, the way that needs none is named."""
    try:
        yield
    except NoMemoryFolder as error:
        other = f"this writes none: {target.place.command('secret set', 'KEY')}"
        error.hint = f"{other}; {error.hint}" if error.hint else other
        raise


def _editor_has_a_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _header(opened: OpenDocument | OpenFiles) -> bytes:
    lines = (
        f"# {opened.path}, in clear. Save it, and end the editor.",
        "# Comments are not taken over; those of the document stay as they are.",
    )
    return "".join(f"{printable(line)}\n" for line in lines).encode()


def _edited(
    opened: OpenDocument | OpenFiles,
    file: Path,
    editor: Editor,
    text: bytes,
    allow: Callable[[Sequence[KeyName]], None],
) -> str:
    """Open the editor until what it leaves can be saved; which keys were changed, and how.

    `allow` raises `ArcanError` where the keys that are gone must not go.
    """
    before = read_clear_text(text)
    given = file.read_bytes()
    while True:
        started = time.monotonic()
        editor.open(file, os.environ)
        try:
            data = _read(file)
            if data == given:
                if time.monotonic() - started < _SECONDS_OF_AN_EDIT:
                    say("the editor ended at once; one with a window must be told to wait: 'code --wait'")
                return ""
            after = read_clear_text(data)
            document = opened.edit()
            changed = apply_changes(document, before, after)
            allow([KeyName(key) for key in before if key not in after])
            gone = [key for key in before if key not in after]
            if not document.save("removed by 'arcan secret edit'"):
                return ""
            return _told(changed, before, after) + recorded(opened, gone)
        except ArcanError as error:
            if not at_a_terminal():
                say("nothing was changed, and what was typed is not kept")
                raise
            again = _again(error)
            if again and isinstance(error, ChangedMeanwhile):
                editor.open(file, os.environ)
            if not again or isinstance(error, ChangedMeanwhile):
                raise click.exceptions.Exit(1) from None  # the error was printed


def _told(changed: tuple[str, ...], before: Tree, after: Tree) -> str:
    keys: dict[str, list[str]] = {"changed": [], "added": [], "removed": []}
    for key in changed:
        keys["added" if key not in before else "removed" if key not in after else "changed"].append(key)
    return "; ".join(f"{verb} {', '.join(names)}" for verb, names in keys.items() if names)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise ArcanError("the editor left no file; nothing was changed") from None


def _again(error: ArcanError) -> bool:
    """Print the error, and ask whether to reopen the editor with what was typed."""
    say_error(error)
    question = "open the editor again?"
    if isinstance(error, ChangedMeanwhile):
        question = "open the editor again, to copy what you typed? It will not be saved."
    return click.confirm(f"arcan: {question}", default=True, err=True)
