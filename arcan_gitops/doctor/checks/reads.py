"""What is asked for, and what the realms have of it: realm, environment, key, version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from shlex import quote

from arcan_gitops.doctor import fixes
from arcan_gitops.doctor.asking import asks
from arcan_gitops.doctor.check import Check
from arcan_gitops.doctor.facts import Facts, Repository
from arcan_gitops.doctor.findings import Found, NotDone, Place, error, warning
from arcan_gitops.names import did_you_mean


def known(facts: Facts) -> Iterator[Found | NotDone]:
    """Realms, environments and keys that are asked for and are not in Git."""
    if not isinstance(facts.repository, Repository):
        return  # said by `token-known`
    catalogue = facts.repository.catalogue
    contents = {
        (str(realm), str(environment)): found for (realm, environment), found in catalogue.contents.items()
    }
    wrong: defaultdict[tuple[str, str, tuple[str, ...]], set[Place]] = defaultdict(set)
    for ask in asks(facts):
        where, again = str(ask.external), fixes.applied(facts, [ask.external.place])
        realms = sorted(map(str, catalogue.realms()))
        environments = [environment for realm, environment in contents if realm == ask.realm]
        if ask.realm not in realms:
            what = f"reads realm {ask.realm!r}, which is not in Git; {did_you_mean(ask.realm, realms)}"
            wrong[str(ask.store.id), what, ("arcan realm list", *again)].add(ask.external.place)
        elif ask.environment not in environments:
            near = did_you_mean(ask.environment, environments)
            what = f"reads environment {ask.environment!r}, which realm {ask.realm} does not have; {near}"
            wrong[str(ask.store.id), what, ("arcan realm list", *again)].add(ask.external.place)
        elif ask.key is not None and ask.key not in (keys := contents[ask.realm, ask.environment].keys):
            near = did_you_mean(ask.key, keys)
            what = f"asks for key {ask.key!r}, which {ask.realm}/{ask.environment} does not have; {near}"
            fix = (
                f"arcan secret list {quote(ask.realm)} --env {quote(ask.environment)}",
                f"arcan secret set {quote(ask.realm)} {quote(ask.key)} --env {quote(ask.environment)}",
            )
            wrong[where, what, fix].add(ask.external.place)
    for (where, what, commands), of in wrong.items():
        yield error(where, what, *commands, of=of)


def versions(facts: Facts) -> Iterator[Found | NotDone]:
    """Versions that manifests in the cluster name, against those of Git."""
    if not isinstance(facts.repository, Repository):
        return
    contents = facts.repository.catalogue.contents
    behind: defaultdict[Place, list[str]] = defaultdict(list)
    for ask in asks(facts):
        found = next(
            (one for (realm, env), one in contents.items() if (realm, env) == (ask.realm, ask.environment)),
            None,
        )
        if found is None or not ask.version:
            continue
        of_git = (
            found.version
            if ask.key is None
            else next((v for k, v in found.keys.items() if k == ask.key), None)
        )
        if of_git is not None and of_git != ask.version:
            behind[ask.external.place].append(ask.key or "all keys")
    for (namespace, name), keys in behind.items():
        what = (
            f"names another version of {', '.join(keys[:5])} than Git here: it was generated before the last "
            "change, or what is in Git here is not what is deployed"
        )
        fix = ("arcan generate overlays", *fixes.applied(facts))
        yield warning(f"ExternalSecret {namespace}/{name}", what, *fix, of=[(namespace, name)])


def applied(facts: Facts) -> Iterator[Found | NotDone]:
    """ExternalSecrets that are declared and not in the cluster."""
    if "v1" not in facts.eso_versions:
        return  # `eso-crds`
    there = {external.place for external in facts.externals}
    wanted = facts.wanted
    declared = facts.repository.declared if isinstance(facts.repository, Repository) else {}
    if wanted is not None:
        if wanted in there:
            return
        where = f"ExternalSecret {wanted[0]}/{wanted[1]}"
        if facts.namespaces.get(wanted[0], "") is None:
            what = f"namespace {wanted[0]} is not there"
            fix = facts.kubectl("create", "namespace", wanted[0])
        elif wanted in declared:
            what = "is declared, and not in the cluster: what is generated was not applied"
            (fix,) = fixes.applied(facts)
        else:
            what = "is not there, and no app declares it"
            fix = facts.kubectl("get", "externalsecrets", "-A")
        yield error(where, what, fix, of=[wanted])
        return
    looked = {external.place[0] for external in facts.externals}
    for place in sorted(declared.keys() - there):
        namespace = facts.namespaces.get(place[0], "")
        where = f"ExternalSecret {place[0]}/{place[1]}"
        if namespace is None:
            what = f"is declared, and its namespace {place[0]} is not there"
            yield error(where, what, facts.kubectl("create", "namespace", place[0]), of=[place])
        elif place[0] in looked or namespace:
            what = "is declared, and not in the cluster: what is generated was not applied"
            (fix,) = fixes.applied(facts)
            yield error(where, what, fix, of=[place])


CHECKS = (
    Check("known-names", "realm, environment and key, as Git has them", "the realms", known),
    Check("version", "the version that a manifest names, and that of Git", "the realms", versions),
    Check("applied", "ExternalSecrets that are declared, and their namespaces", "to list them", applied),
)
