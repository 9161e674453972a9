"""What the checks of a new repository install: this program by its hash, or by a commit that cannot change.

`pip install arcan-gitops` is not among them: until somebody has registered the name, whoever does so runs
code beside people's identities.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import InvalidName
from arcan_gitops.scaffold.wheel import own_wheel

_FILES: Final = Path(__file__).resolve().parent / "files"
_VENDOR: Final = "vendor"
_HASHED: Final = "python -m pip install --require-hashes --requirement requirements.txt"
_FROM_GIT: Final = "python -m pip install --no-deps --no-build-isolation --requirement requirements-arcan.txt"
_WAYS: Final = (
    "name a wheel (PATH.whl), a wheel with its hash (https://HOST/arcan_gitops-VERSION-py3-none-any.whl"
    "#sha256=HASH), or a commit (git+https://HOST/PATH@COMMIT); left out, a copy of this arcan is kept in "
    f"{_VENDOR}/"
)
_HEAD: Final = """\
# What the checks install, and everybody who edits here, each file by its hash:
#   {command}
"""


class NoPackage(ArcanError):
    """What was named is nothing that can be installed unchanged each time."""


@dataclass(frozen=True, slots=True)
class Package:
    """`files` are added to the repository; `commands` install it there, in a virtual environment."""

    files: Mapping[str, bytes]
    commands: tuple[str, ...] = (_HASHED,)
    warnings: tuple[str, ...] = field(default=())

    _git: ClassVar = re.compile(
        r"(?:arcan-gitops @ )?(git\+(?:https|ssh|file)://[^\s#]+)@([0-9a-f]{7,40})", re.ASCII
    )
    _url: ClassVar = re.compile(
        r"(?:arcan-gitops @ )?(https://[^\s#]+/arcan_gitops-[^\s#/]+\.whl)#sha256=([0-9a-f]{64})", re.ASCII
    )

    @classmethod
    def own(cls) -> Package:
        """A copy of this program. Raises `CannotPack`."""
        return cls._vendored(*own_wheel())

    @classmethod
    def parse(cls, text: str) -> Package:
        """Raises `InvalidName`, and `NoPackage` for a path."""
        if (git := cls._git.fullmatch(text)) is not None:
            return cls._of_git(git[1], git[2])
        if (url := cls._url.fullmatch(text)) is not None:
            return cls(_requirements(f"arcan-gitops @ {url[1]} --hash=sha256:{url[2]}"))
        if "://" in text or re.match(r"arcan-gitops\s*[=@<>~!]", text):
            raise InvalidName(f"{text[:80]!r} may be something else tomorrow", hint=_WAYS)
        return cls._of_path(Path(text))

    @classmethod
    def _of_path(cls, path: Path) -> Package:
        if path.is_dir():
            raise NoPackage(
                f"{path}: is a folder, which has no hash",
                hint=f"make a wheel of it, and name that: python -m pip wheel --no-deps -w dist {path}",
            )
        if re.fullmatch(r"arcan_gitops-[\w.+!]+-py3-none-any\.whl", path.name) is None:
            raise InvalidName(f"{str(path)[:80]!r} is no wheel of arcan-gitops", hint=_WAYS)
        try:
            return cls._vendored(path.name, path.read_bytes())
        except OSError as error:
            raise NoPackage(f"{path}: cannot be read: {error.strerror}") from None

    @classmethod
    def _vendored(cls, name: str, data: bytes) -> Package:
        line = f"./{_VENDOR}/{name} --hash=sha256:{hashlib.sha256(data).hexdigest()}"
        return cls({f"{_VENDOR}/{name}": data, **_requirements(line)})

    @classmethod
    def _of_git(cls, url: str, commit: str) -> Package:
        """A commit is its own hash; pip wants none, so what is hashed is installed before it."""
        short = (
            f"'{commit}' is a part of a commit's name, and may come to mean another: name all 40 characters"
        )
        text = _HEAD.format(command=_FROM_GIT).replace("each file by its hash", "by its commit")
        return cls(
            {
                **_requirements(_lock("requirements-build.lock")),
                "requirements-arcan.txt": f"{text}arcan-gitops @ {url}@{commit}\n".encode(),
            },
            (_HASHED, _FROM_GIT),
            () if len(commit) == 40 else (short,),
        )


def _requirements(line: str) -> dict[str, bytes]:
    """requirements.txt, with what arcan itself needs in a file beside it."""
    text = f"{_HEAD.format(command=_HASHED)}--requirement requirements.lock\n{line.rstrip()}\n"
    return {"requirements.txt": text.encode(), "requirements.lock": _lock("requirements.lock").encode()}


def _lock(name: str) -> str:
    """The lock of this version, without the comments about how it was made."""
    lines = (_FILES / name).read_text("utf-8").splitlines()
    return "".join(f"{line}\n" for line in lines if not line.lstrip().startswith("#"))
