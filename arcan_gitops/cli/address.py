"""The option `--connect-to HOST:PORT`."""

from __future__ import annotations

from typing import Final

from arcan_gitops.cli.parsed import Parsed
from arcan_gitops.errors import ArcanError


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise ArcanError(f"{text!r} is not HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


ADDRESS: Final = Parsed("HOST:PORT", _address)
