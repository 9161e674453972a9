"""A wheel of this very program, packed from where it is installed: what a new repository can keep a copy of.

Source: the wheel format 1.0 (packaging.python.org, binary distribution format).
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Final

from arcan_gitops import __version__
from arcan_gitops.errors import ArcanError

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_DISTRIBUTION: Final = "arcan-gitops"
_COPIED: Final = ("METADATA", "entry_points.txt")
_WHEEL: Final = "Wheel-Version: 1.0\nGenerator: arcan\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the same bytes for the same program, whenever it is packed


class CannotPack(ArcanError):
    """This program is not installed in a way that a wheel can be made of it."""


def own_wheel() -> tuple[str, bytes]:
    """(file name, content). Raises `CannotPack`."""
    info = f"arcan_gitops-{__version__}.dist-info"
    files = _program()
    try:
        installed = metadata.distribution(_DISTRIBUTION)
        texts = {name: installed.read_text(name) for name in _COPIED}
    except metadata.PackageNotFoundError:
        texts = {}
    if not all(texts.get(name) for name in _COPIED) or installed.version != __version__:
        raise CannotPack(
            "this arcan runs from a folder of files, and no wheel can be made of it",
            hint="install it (pip install FOLDER), or name what the checks install with --package",
        )
    files |= {f"{info}/{name}": str(text).encode() for name, text in texts.items()}
    files[f"{info}/WHEEL"] = _WHEEL.encode()
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    return f"arcan_gitops-{__version__}-py3-none-any.whl", _zipped(files)


def _program() -> dict[str, bytes]:
    """All files of the package but what Python makes of them, by path in the wheel."""
    found = (path for path in sorted(_PACKAGE.rglob("*")) if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(_PACKAGE.parent).as_posix(): path.read_bytes() for path in found}


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode("ascii")


def _zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data, compresslevel=9)
    return out.getvalue()
