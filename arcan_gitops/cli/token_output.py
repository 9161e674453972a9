"""Where a new token goes: to standard output or a private file, as itself or as the Secrets that hold it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

from arcan_gitops.access import MintedToken
from arcan_gitops.cli.options import kustomize_option
from arcan_gitops.cli.output import discard_output, say, warn
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.private_files import new_private_file, work_tree_of
from arcan_gitops.errors import ArcanError
from arcan_gitops.names import Namespace, ObjectName, OverlayName
from arcan_gitops.overlay.needed_tokens import TokenPlace
from arcan_gitops.overlay.opaque_secret import opaque_secret
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE
from arcan_gitops.yamlio import emit

_F = TypeVar("_F", bound=Callable[..., Any])


def output_options(*also_named: str) -> Callable[[_F], _F]:
    """The options of `Asked`; `also_named` are more names of `--secret-name`."""
    options = [
        click.option(
            "--format",
            "form",
            type=click.Choice(["token", "secret"]),
            help="The token alone, or the Kubernetes Secrets that the stores of the declared apps read it "
            "from, in every overlay.  [default: token]",
        ),
        click.option("--output", "old_form", type=click.Choice(["token", "secret"]), hidden=True),
        click.option(
            "--output-file",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Write it to a new file, mode 0600, in place of standard output.",
        ),
        click.option(
            "--overlay",
            type=Parsed("overlay", OverlayName.parse),
            metavar="NAME",
            help="With --format secret: the Secrets of one overlay.  [default: of all]",
        ),
        click.option(
            "--namespace",
            type=Parsed("namespace", Namespace.parse),
            help="With --format secret: the Secret of one namespace.  [default: of all that need it]",
        ),
        click.option(
            "--secret-name",
            *also_named,
            "secret_name",
            type=Parsed("name", ObjectName.parse),
            metavar="NAME",
            help="With --format secret: another name for the Secret.",
        ),
        kustomize_option,
    ]

    def decorate(command: _F) -> _F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options say; `of` makes it of a command's arguments, which it takes out of them."""

    as_secret: bool
    file: Path | None
    overlay: OverlayName | None
    namespace: Namespace | None
    secret_name: ObjectName | None
    kustomize_dir: Path

    @classmethod
    def of(cls, options: dict[str, Any]) -> Asked:
        """Raises `click.UsageError` for options that do not go together."""
        form, old = options.pop("form"), options.pop("old_form")
        if old is not None:
            warn(f"'--output {old}' is now '--format {old}'; --output goes away in a later version")
        if None not in (form, old) and form != old:
            raise click.UsageError("--format and its old name --output say different things")
        asked = cls(
            (form or old) == "secret",
            options.pop("output_file"),
            options.pop("overlay"),
            options.pop("namespace"),
            options.pop("secret_name"),
            options.pop("kustomize_dir"),
        )
        if not asked.as_secret and (asked.overlay or asked.namespace or asked.secret_name):
            raise click.UsageError("--overlay, --namespace and --secret-name go with --format secret")
        return asked


@dataclass(frozen=True, slots=True)
class TokenPrinter:
    """Hands a new token over, once; `places` are the Secrets for it, or empty for the token alone."""

    places: Sequence[TokenPlace]
    file: Path | None
    _open: BinaryIO | None

    def print(self, minted: MintedToken, path: Path, lost: str) -> None:
        """Print a token that is recorded in `path`, before anything else is said of it.

        Raises `ArcanError` with the hint `lost` if it cannot be printed.
        """
        text = minted.text.reveal()
        text = secret_manifests(text, self.places) if self.places else f"{text}\n"
        try:
            if self._open is not None:
                self._open.write(text.encode())
                self._open.flush()
            else:
                click.echo(text, nl=False)
        except (OSError, ValueError):
            if self._open is None:
                discard_output()
            raise ArcanError(
                f"the token (id {minted.id}) is recorded in {path}, but could not be printed: it is lost",
                hint=lost,
            ) from None

    def say_next(self, path: Path) -> None:
        """What is left to do with the token that was printed."""
        say(f"commit {path}: a server accepts the token once it has read that file")
        if self.file is not None:
            say(f"{self.file}: the token, mode 0600; this is the one copy of it")
            if (tree := work_tree_of(self.file)) is not None:
                warn(f"{self.file}: is inside the Git work tree {tree}: never commit it")
        elif not self.places:
            say("this is the one time that the token is shown; put it into a Secret with the label")
            say(f"{SECRET_LABEL_NAME}={SECRET_LABEL_VALUE}, or ESO refuses it: --format secret prints one")
        for place in self.places:
            if len(self.places) > 1:
                where = f"{place.namespace or '(no namespace)'}/{place.secret}"
                say(f"Secret {where} is for {_overlays(place)}; of one overlay alone: --overlay NAME")


@contextmanager
def token_printer(places: Sequence[TokenPlace], file: Path | None) -> Iterator[TokenPrinter]:
    """A printer that is ready before a token is made, so that nothing is recorded that cannot be shown."""
    if file is not None:
        with new_private_file(file) as opened:
            yield TokenPrinter(places, file, opened)
        return
    if sys.stdout is None:
        raise ArcanError(
            "standard output is closed: the token would be lost", hint="nothing was recorded; try again"
        )
    yield TokenPrinter(places, None, None)


def secret_manifests(text: str, places: Sequence[TokenPlace]) -> str:
    """The Secrets that hold a token, as YAML documents; it has the token's text in it."""
    documents = []
    for place in places:
        secret = emit([opaque_secret(place.secret, place.namespace, {place.key: text}, labelled=True)])
        note = f"# for {_overlays(place)}\n" if len(places) > 1 else ""
        documents.append(f"---\n{note}{secret.removeprefix('---' + chr(10))}")
    return "".join(documents)


def _overlays(place: TokenPlace) -> str:
    return ("overlay " if len(place.overlays) == 1 else "overlays ") + ", ".join(place.overlays)
