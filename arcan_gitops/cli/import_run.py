"""What the commands of `arcan import` share: their options, and the run itself."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, wraps
from typing import Any, Final

import click

from arcan_gitops.cli.identities import held_identities
from arcan_gitops.cli.import_apps import Declaring, declaring_options
from arcan_gitops.cli.options import format_option
from arcan_gitops.cli.output import say, say_error, show
from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.cli.realm_options import layout_option
from arcan_gitops.cli.secret_target import Target, names_document, takes_target
from arcan_gitops.errors import ArcanError
from arcan_gitops.migrate import (
    CannotImport,
    Destination,
    Found,
    Left,
    Source,
    Status,
    as_json,
    as_text,
    name_all,
    summary,
    unlogged,
)
from arcan_gitops.names import InvalidName, KeyName, Namespace
from arcan_gitops.realms.tree import Layout
from arcan_gitops.sops import Identities

_SECONDS_BETWEEN_LINES: Final = 2


def _origin_key(text: str) -> tuple[str, KeyName]:
    origin, equals, key = text.rpartition("=")
    if not equals or not origin:
        raise InvalidName(f"{text!r} is not ORIGIN=KEY", hint="as in --map 'myapp/db#password=DB_PASSWORD'")
    return origin, KeyName.parse(key)


@dataclass(frozen=True, slots=True)
class Import:
    """One run: from a source into the document of an environment."""

    target: Target
    identities: Callable[[], Identities] = field(repr=False)
    mapped: dict[str, KeyName]
    replace: bool
    only_new: bool
    layout: Layout | None
    dry_run: bool
    json: bool
    declaring: Declaring

    def from_results(self, namespace: Namespace, *, adopt: bool) -> Import:
        """The run of which the secrets are those that the ExternalSecrets of this namespace made."""
        return dataclasses.replace(
            self, declaring=dataclasses.replace(self.declaring, namespace=namespace, adopt=adopt)
        )

    def run(self, open_source: Callable[[], Source]) -> None:
        """Read, write, report; exit 1 where something failed, and 130 where it was interrupted.

        What a source gave before it broke, or before Ctrl-C, is written: the next run finds it there.
        """
        place = self.target
        destination = Destination.find(place.tree, place.realm, place.environment, self.layout)
        with unlogged():
            source = open_source()
            say(f"reading {source.name}")
            items, broken = _read(source)
            apps = self.declaring.manifests(source) if broken is None else None
        target = self.target
        overlays = None if apps is None else self.declaring.overlays(target.tree, target.environment)
        found = {str(item.origin) for item in items}
        mapped = {origin: key for origin, key in self.mapped.items() if broken is None or origin in found}
        named, outcomes = name_all(items, source.below, mapped)
        outcomes += destination.land(
            named, self.identities, replace=self.replace, only_new=self.only_new, dry_run=self.dry_run
        )
        outcomes.sort(key=lambda one: (str(one.origin), one.key or ""))
        declared = [] if apps is None else self.declaring.declare(
            apps, source, outcomes, target.realm, overlays, dry_run=self.dry_run
        )  # fmt: skip
        if self.json:
            report = as_json(
                source.name, str(destination.path), outcomes, dry_run=self.dry_run, complete=broken is None,
                apps=[one.to_plain() for one in declared],
            )  # fmt: skip
            click.echo(report, nl=False)
        else:
            click.echo(as_text(outcomes), nl=False)
            for one in declared:
                show(str(one))
        said = "; nothing was written (--dry-run)" if self.dry_run else ""
        say(f"{destination.path}: {summary(outcomes)}{said}")
        if any(one.status == "declared" for one in declared) and not self.dry_run:
            say(
                "next: 'arcan generate overlays'; where an app has no token yet, it prints the command that "
                "makes one which reads what the app needs, and no more"
            )
        if broken is not None:
            _tell(broken)
        failed = any(one.status is Status.FAILED for one in outcomes)
        if failed or broken is not None or any(one.failed for one in declared):
            raise click.exceptions.Exit(130 if isinstance(broken, KeyboardInterrupt) else 1)


def _read(source: Source) -> tuple[list[Found | Left], CannotImport | KeyboardInterrupt | None]:
    """All that the source gives, and what ended it early. Raises `CannotImport` where it gives nothing."""
    items: list[Found | Left] = []
    said = time.monotonic()
    try:
        for item in source.read():
            items.append(item)
            if time.monotonic() - said > _SECONDS_BETWEEN_LINES:
                said = time.monotonic()
                say(f"read {len(items)} so far: {item.origin.path}")
    except CannotImport as error:
        if not items:
            raise
        return items, error
    except KeyboardInterrupt as interrupt:
        if not items:
            raise
        say(f"interrupted: what was read so far ({len(items)}) is kept; Ctrl-C again keeps nothing")
        return items, interrupt
    return items, None


def _tell(broken: ArcanError | KeyboardInterrupt) -> None:
    if isinstance(broken, ArcanError):
        say_error(broken)
    say("not everything was read: run the command again, which goes on from what is there")


def takes_import(command: Callable[..., None]) -> Callable[..., None]:
    """The argument and options of an `Import`, which the command gets as `into`."""

    @wraps(command)
    def with_import(
        target: Target,
        mapped: tuple[tuple[str, KeyName], ...],
        replace: bool,
        only_new: bool,
        layout: str | None,
        dry_run: bool,
        style: str,
        declaring: Declaring,
        **others: Any,
    ) -> None:
        if replace and only_new:
            raise click.UsageError("--replace and --only-new exclude each other")
        alone = others.get("sops_binary") is None  # with the program, one that only it can use is enough
        identities = cache(
            lambda: held_identities(target.identity_file, target.passphrase_file, required=alone)
        )
        into = Import(
            target,
            identities,
            dict(mapped),
            replace,
            only_new,
            None if layout is None else Layout(layout),
            dry_run,
            style == "json",
            declaring,
        )
        command(into=into, **others)

    decorated = takes_target(declaring_options(with_import))
    for option in (
        format_option(("text", "json"), old="--json", help="The report, for people or as JSON."),
        click.option("--dry-run", is_flag=True, help="Read and report, and write nothing."),
        layout_option,
        click.option("--only-new", is_flag=True, help="Leave existing keys as they are, unseen."),
        click.option("--replace", is_flag=True, help="Replace existing keys that have another value."),
        click.option(
            "--map",
            "mapped",
            type=Parsed("origin=key", _origin_key),
            multiple=True,
            help="The key for one value, by its origin as the report names it; repeatable.",
        ),
    ):
        decorated = option(decorated)
    return names_document(decorated)
