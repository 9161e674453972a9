"""The option `--connect-to HOST:PORT`."""

from __future__ import annotations

import click


class _Address(click.ParamType):  # type: ignore[type-arg]  # no generic in click 8.1
    name = "HOST:PORT"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        host, _, port = str(value).rpartition(":")
        if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
            self.fail(f"{value!r} is not HOST:PORT", param, ctx)
        return host.removeprefix("[").removesuffix("]"), int(port)


ADDRESS = _Address()
