"""How the creation rule that a new value is encrypted by differs from that of the default branch.

The rule in the work tree may be a stranger's: a branch that was checked out for a review may name one more
recipient, and whoever sets a value there would encrypt it for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from arcan_gitops.cli.environment import for_other_programs
from arcan_gitops.errors import ArcanError, some
from arcan_gitops.git import Git, GitFailed
from arcan_gitops.realms.creation_rules import CreationRule
from arcan_gitops.realms.sops_config import CONFIG_FILE, NoRule, SopsConfig, recipient_id
from arcan_gitops.sops.data_key import short_recipient

_BRANCHES: Final = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


def rule_differences(config: SopsConfig, path: Path) -> str:
    """What is different in the rule for a path, as a line for people; empty where nothing is, and where no
    repository or default branch is there to compare with.
    """
    try:
        git = Git.of(config.path.parent, for_other_programs())
        branch = next(_branches(git), None)
        if branch is None:
            return ""
        data = git.read(git.commit(branch), [CONFIG_FILE]).get(CONFIG_FILE)
    except ArcanError:
        return ""
    if data is None:
        return f"{branch} has no {CONFIG_FILE} yet"
    try:
        there = SopsConfig.parse(data, config.path, config.realms).rule_for(path)
    except NoRule:
        return f"{CONFIG_FILE} of {branch} has no rule for it"
    except ArcanError as error:
        return f"{CONFIG_FILE} of {branch} cannot be read: {error.message}"
    found = "; ".join(_differences(config.rule_for(path), there, config))
    return found and f"the rule is not the one of {branch}: {found}"


def _branches(git: Git) -> Iterator[str]:
    for name in _BRANCHES:
        try:
            git.commit(name)
        except GitFailed:
            continue
        yield name


def _differences(here: CreationRule, there: CreationRule, config: SopsConfig) -> Iterator[str]:
    mine, theirs = (dict.fromkeys(map(recipient_id, rule.age)) for rule in (here, there))
    if added := [each for each in mine if each not in theirs]:
        yield f"it adds {named(added, config)}"
    if lacking := [each for each in theirs if each not in mine]:
        yield f"it lacks {named(lacking, config)}"
    if here.other_key_types != there.other_key_types:
        yield "it has other types of keys"
    if [set(each.age) for each in here.groups] != [set(each.age) for each in there.groups] and not (
        added or lacking
    ):
        yield "it has other key groups"
    if len(here.groups) > 1 and here.shamir_threshold != there.shamir_threshold:
        yield f"its shamir_threshold is {here.shamir_threshold or 'missing'}"
    if (here.selection, here.mac_only_encrypted) != (there.selection, there.mac_only_encrypted):
        yield "it encrypts other values"


def named(recipients: list[str], config: SopsConfig) -> str:
    """Recipients by the names that `.sops.yaml` gives them; those without one as they are."""
    return some([config.names.get(recipient_id(each)) or short_recipient(each) for each in recipients])
