"""The folder `kustomize/`: its settings and its declared apps, read from disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.overlay.app import App, parse_declaration
from arcan_gitops.overlay.build import APPS_FOLDER
from arcan_gitops.overlay.ca import committed_ca, read_ca
from arcan_gitops.overlay.removal import Departure, RemovedApp
from arcan_gitops.overlay.settings import DEFAULTS, SETTINGS_FILE, Settings
from arcan_gitops.yamlio import InvalidFile


class NoApps(ArcanError):
    """There is nothing to generate from."""


def read_settings(folder: Path) -> Settings:
    """`arcan.yaml` of the folder, or the defaults where there is none.

    The file of `ca: {file: ...}` is relative to the folder, and `ca.crt` in it is the CA where none is named.
    Raises `InvalidFile`, or `BadCertificateAuthority` for a `ca.crt` that is none.
    """
    path = folder / SETTINGS_FILE
    defaults = replace(DEFAULTS, ca=committed_ca(folder))
    if not path.exists():
        return Settings(defaults, source=str(path))
    return Settings.parse(_read(path), str(path), lambda text: read_ca(folder / text), defaults)


@dataclass(frozen=True, slots=True)
class Declared:
    """What the files of a folder declare: the apps, by name, and what is gone of apps that are or were."""

    apps: tuple[App, ...]
    departures: tuple[Departure, ...] = ()

    @classmethod
    def of(cls, found: Iterable[App | RemovedApp]) -> Self:
        """From what each file declares."""
        apps: list[App] = []
        departures: list[Departure] = []
        for one in found:
            if isinstance(one, App):
                apps.append(one)
                departures += one.left
            else:
                departures += one.departures
        return cls(tuple(apps), tuple(departures))


def read_apps(folder: Path) -> tuple[App, ...]:
    """The apps of the folder that are not removed. Raises as `read_declared`."""
    return read_declared(folder).apps


def read_declared(folder: Path) -> Declared:
    """`apps/*.yaml` of the folder. Raises `SeveralErrors` with every file that is wrong."""
    apps = folder / APPS_FOLDER
    files = sorted(path for path in apps.glob("*.y*ml") if not path.name.startswith("."))
    if not files:
        raise NoApps(
            f"{apps}: no app is declared",
            hint=f"declare one as {apps}/my-app.yaml, or say with --kustomize-dir where '{APPS_FOLDER}' is",
        )
    found: list[App | RemovedApp] = []
    problems: list[ArcanError] = []
    for path in files:
        try:
            found.append(read_declaration(path))
        except InvalidFile as error:
            problems += error.problems or (error,)
        except ArcanError as error:
            problems.append(error)
    if problems:
        raise SeveralErrors("the declared apps cannot be read:", problems)
    return Declared.of(found)


def read_declaration(path: Path) -> App | RemovedApp:
    """What one file declares. Raises `InvalidFile`, and `ArcanError` for a file that cannot be an app's."""
    if path.suffix != ".yaml":
        raise ArcanError(f"{path}: an app's file ends in .yaml", hint=f"rename it to {path.stem}.yaml")
    return parse_declaration(_read(path), str(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArcanError(f"{path}: cannot be read: {error.strerror}") from None
