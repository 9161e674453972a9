"""Name every token that can read more, or longer, than it could in another commit.

    python scripts/widened_tokens.py BASE [--realms realms]

For pull requests: whether a token should be widened is for the owners of the realm to decide, so a wider
token is a notice and the exit status stays 0. On GitHub the notices are annotations, and a table goes to the
summary of the job. Exit status 1: a tokens file, or BASE, cannot be read.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from arcan_gitops.access import TokenRecord, format_time, read_tokens
from arcan_gitops.errors import ArcanError
from arcan_gitops.realms.tree import RealmTree, read_file


@dataclass(frozen=True)
class Widened:
    """One token, and in what it became wider.

    Every part has passed a grammar (realm, token name, globs, times), none of which has a line break, '|'
    or '%': it can stand in a workflow command and in a table as it is.
    """

    file: Path
    token: TokenRecord
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"token {self.token.name} ({self.token.id}): {'; '.join(self.reasons)}"


def widened_in(realms: Path, base: str) -> list[Widened]:
    """The wider tokens of all realms, in the order of the files. Raises `ArcanError`."""
    tree = RealmTree(realms)
    found = []
    for realm in tree.scan()[0]:
        file = tree.tokens_file(realm)
        if file is None:
            continue
        before = {record.id: record for record in _tokens_at(base, file)}
        for record in read_tokens(read_file(file), str(file)):
            reasons = widened(before.get(record.id), record)
            if reasons:
                found.append(Widened(file, record, reasons))
    return found


def widened(old: TokenRecord | None, new: TokenRecord) -> tuple[str, ...]:
    """In what `new` reaches further than `old`; `old` is None for a token that was not there."""
    if old is None:
        end = "without an expiry" if new.expires is None else f"until {format_time(new.expires)}"
        return (f"new: environments {_shown(new.environments)}, keys {_shown(new.keys)}, {end}",)
    reasons = []
    if new.digest != old.digest:
        reasons.append("another token under the same id")
    for what, before, after in (
        ("environments", old.environments, new.environments),
        ("keys", old.keys, new.keys),
    ):
        if not _covers(before, after):
            reasons.append(f"{what} {_shown(before)} became {_shown(after)}")
    if old.expires is not None and (new.expires is None or new.expires > old.expires):
        end = "never" if new.expires is None else format_time(new.expires)
        reasons.append(f"expires {end} instead of {format_time(old.expires)}")
    return tuple(reasons)


def _covers(before: tuple[str, ...] | None, after: tuple[str, ...] | None) -> bool:
    """Whether each glob of `after` was there before; one that another glob implies is named all the same."""
    return before is None or "*" in before or (after is not None and set(after) <= set(before))


def _shown(globs: tuple[str, ...] | None) -> str:
    return "all" if globs is None else ", ".join(globs)


def _tokens_at(base: str, file: Path) -> tuple[TokenRecord, ...]:
    if not _git("ls-tree", "--name-only", base, "--", str(file)):
        return ()
    return read_tokens(_git("show", f"{base}:./{file}"), f"{base}:{file}")


def _git(*arguments: str) -> bytes:
    command = ["git", *arguments]
    done = subprocess.run(command, check=False, capture_output=True)
    if done.returncode != 0:
        raise ArcanError(f"git {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def report(found: list[Widened]) -> None:
    """Print the tokens, for a person or as annotations, and add them to the job's summary if there is one."""
    for item in found:
        on_github = "GITHUB_ACTIONS" in os.environ
        print(f"::notice file={item.file}::{item}" if on_github else f"{item.file}: {item}")
    print(f"{len(found)} token(s) can read more than before", file=sys.stderr)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary and found:
        lines = ["### Tokens that can read more than before", "", "| file | token | what |", "|---|---|---|"]
        lines += [
            f"| `{item.file}` | `{item.token.name}` | `{reason}` |"
            for item in found
            for reason in item.reasons
        ]
        with Path(summary).open("a") as file:
            file.write("\n".join(lines) + "\n")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("base", metavar="BASE", help="the commit to compare with: HEAD^1, origin/main")
    parser.add_argument("--realms", type=Path, default=Path("realms"))
    arguments = parser.parse_args()
    try:
        report(widened_in(arguments.realms, arguments.base))
    except ArcanError as error:
        print(f"widened_tokens: {error.message}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
