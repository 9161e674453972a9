"""Whether the clusters that realms name in their accounts are known."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from arcan_gitops.access import AccountRecord
from arcan_gitops.errors import ArcanError
from arcan_gitops.realms.clusters import SUFFIX, read_clusters


def cluster_problems(folder: Path, accounts: Iterable[tuple[Path, AccountRecord]]) -> list[ArcanError]:
    """What is wrong with the files of the clusters, and each account of a cluster that has none.

    `accounts` are pairs of a tokens file and an entry of it. A folder that is not there has no file.
    """
    known, problems = read_clusters(folder, {}) if folder.is_dir() else ({}, [])
    names = {*known, *(path.stem for path in folder.glob(f"*{SUFFIX}"))}
    found = list(problems)
    for path, account in accounts:
        if account.cluster not in names:
            found.append(
                ArcanError(
                    f"{path}: account '{account.name}': there is no {folder / account.cluster}{SUFFIX}",
                    hint=f"arcan cluster add {account.cluster}",
                )
            )
    return found
