"""The lines of CODEOWNERS for the files of apps: whoever owns a realm is asked what an app takes of it.

Where somebody else could agree to that alone, a line names the owners of the realm for the file of the app.
The lines stand between two comments; everything else in the file is somebody's own, and stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from arcan_gitops.errors import ArcanError
from arcan_gitops.names import RealmName
from arcan_gitops.review.owners import Owners
from arcan_gitops.review.state import REALMS

BEGIN: Final = "# apps, by the realms that they read: written by 'arcan generate codeowners'"
END: Final = "# end of apps"


def with_app_lines(text: str, apps: Mapping[str, RealmName], path: str) -> str:
    """CODEOWNERS, which is at `path`, with the lines that these apps need: the realm that each reads, by the
    app's file. The lines are at the end of the file where it has no place for them.

    Raises `ArcanError` for a place that does not end, and for lines behind it that name others for an app.
    """
    before, behind = _parted(text, path)
    others = Owners.parse(f"{before}{behind}".encode(), path)
    lines = []
    for file in sorted(apps):
        realm = owners_of(others, apps[file])
        if realm and not must_agree(others.of(file), realm):
            lines.append(f"/{file} {' '.join(realm)}\n")
    made = "".join((before, f"{BEGIN}\n", *lines, f"{END}\n", behind))
    owners = Owners.parse(made.encode(), path)
    for file in sorted(apps):
        realm = owners_of(owners, apps[file])
        if realm and not must_agree(owners.of(file), realm):
            raise ArcanError(
                f"{path}: a line below '{END}' names others for {file}, and the last one counts",
                hint="move the two comments, and what is between them, to the end of the file",
            )
    return made


def owners_of(owners: Owners, realm: RealmName) -> tuple[str, ...]:
    """Those who own a realm as a whole: its settings, and who may read it."""
    return owners.of(f"{REALMS}{realm}/tokens.yaml")


def must_agree(app: tuple[str, ...], realm: tuple[str, ...]) -> bool:
    """Whether an owner of the realm has to agree to a change of the app's file.

    Of the owners that a line of CODEOWNERS names any one is enough, so that each has to be one of the realm.
    """
    return bool(app) and set(app) <= set(realm)


def _parted(text: str, path: str) -> tuple[str, str]:
    """What is before the place of the lines, and behind it."""
    if text and not text.endswith("\n"):
        text += "\n"
    before, begins, rest = text.partition(f"{BEGIN}\n")
    if not begins:
        return f"{text}\n" if text else "", ""
    _, ends, behind = rest.partition(f"{END}\n")
    if not ends:
        raise ArcanError(
            f"{path}: '{BEGIN}' has no '{END}' below it, so that nobody can say which lines are whose",
            hint=f"write '{END}' below the last line for an app",
        )
    return before, behind
