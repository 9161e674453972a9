"""The folder `kustomize/`: its settings and its declared apps, read from disk."""

from __future__ import annotations

from pathlib import Path

from arcan_gitops.errors import ArcanError, SeveralErrors
from arcan_gitops.overlay.app import App
from arcan_gitops.overlay.build import APPS_FOLDER
from arcan_gitops.overlay.ca import read_ca
from arcan_gitops.overlay.settings import SETTINGS_FILE, Settings
from arcan_gitops.yamlio import InvalidFile


class NoApps(ArcanError):
    """There is nothing to generate from."""


def read_settings(folder: Path) -> Settings:
    """`arcan.yaml` of the folder, or the defaults where there is none.

    The file of `ca: {file: ...}` is relative to the folder. Raises `InvalidFile`.
    """
    path = folder / SETTINGS_FILE
    if not path.exists():
        return Settings(source=str(path))
    return Settings.parse(_read(path), str(path), lambda text: read_ca(folder / text))


def read_apps(folder: Path) -> tuple[App, ...]:
    """`apps/*.yaml` of the folder, by name. Raises `SeveralErrors` with every file that is wrong."""
    apps = folder / APPS_FOLDER
    files = sorted(path for path in apps.glob("*.y*ml") if not path.name.startswith("."))
    if not files:
        raise NoApps(
            f"{apps}: no app is declared",
            hint=f"declare one as {apps}/my-app.yaml, or say with --kustomize-dir where '{APPS_FOLDER}' is",
        )
    found: list[App] = []
    problems: list[ArcanError] = []
    for path in files:
        try:
            found.append(read_app(path))
        except InvalidFile as error:
            problems += error.problems or (error,)
        except ArcanError as error:
            problems.append(error)
    if problems:
        raise SeveralErrors("the declared apps cannot be read:", problems)
    return tuple(found)


def read_app(path: Path) -> App:
    """The app of one file. Raises `InvalidFile`, and `ArcanError` for a file that cannot be one."""
    if path.suffix != ".yaml":
        raise ArcanError(f"{path}: an app's file ends in .yaml", hint=f"rename it to {path.stem}.yaml")
    return App.parse(_read(path), str(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArcanError(f"{path}: cannot be read: {error.strerror}") from None
