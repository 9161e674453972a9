"""The Kubernetes Secret that an ExternalSecret makes: is it there, is it whole, whose is it, who reads it."""

from __future__ import annotations

from collections.abc import Iterator

from arcan_gitops.doctor.check import Check
from arcan_gitops.doctor.facts import External, Facts, Read, Target, Unread, dig
from arcan_gitops.doctor.findings import Found, NotDone, error, warning
from arcan_gitops.doctor.surroundings import everybody_of
from arcan_gitops.eso.target import DATA_HASH_ANNOTATION

_CHANGING = ("now", "date", "rand", "gen", "uuid", "bcrypt", "htpasswd", "shuffle", "derivePassword")


def namespace(facts: Facts) -> Iterator[Found | NotDone]:
    """Namespaces that are about to go."""
    for name, found in facts.namespaces.items():
        of = [external.place for external in facts.in_namespace.get(name, ())]
        if isinstance(found, dict) and dig(found, "status", "phase") == "Terminating" and of:
            what = "is being deleted: nothing is made in it any more"
            yield error(
                f"Namespace {name}", what, facts.kubectl("get", "namespace", name, "-o", "yaml"), of=of
            )


def _targets(facts: Facts) -> Iterator[tuple[External, Target | Unread | None, str]]:
    for external in facts.externals:
        place = external.place[0], external.target
        if place in facts.targets and dig(external.object, "spec", "target", "manifest") is None:
            yield external, facts.targets[place], f"Secret {place[0]}/{place[1]}"


def there(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether it is there, though ESO says that it made it."""
    for external, target, where in _targets(facts):
        policy = dig(external.object, "spec", "target", "creationPolicy") or "Owner"
        if isinstance(target, Unread):
            yield target.not_done(f"{where}")
        elif target is None and policy == "Merge":
            what = f"is not there, and {external} only adds to it (creationPolicy: Merge)"
            fix = facts.kubectl("create", "secret", "generic", external.target, "-n", external.place[0])
            yield error(where, what, fix, of=[external.place])
        elif target is None and external.ready.get("reason") == "SecretSynced" and policy != "None":
            what = "is not there, and ESO says that it is: somebody deleted it since the last refresh"
            yield error(where, what, facts.sync(external), of=[external.place])


def owner(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether it belongs to this ExternalSecret, and can be written."""
    for external, target, where in _targets(facts):
        if not isinstance(target, Target):
            continue
        name = external.place[1]
        if target.owner and target.owner != name:
            what = f"belongs to ExternalSecret {target.owner}: two of them write one Secret"
            fix = facts.kubectl("get", "externalsecret", target.owner, name, "-n", external.place[0])
            yield error(where, what, fix, of=[external.place])
        elif target.immutable and external.failing:
            what = "is immutable: ESO cannot change it"
            fix = facts.kubectl("delete", "secret", external.target, "-n", external.place[0])
            yield error(where, what, fix, facts.sync(external), of=[external.place])


def keys(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether it has every key that is declared, with something in it."""
    for external, target, where in _targets(facts):
        if not isinstance(target, Target) or external.parsed is None or external.failing:
            continue
        made = external.parsed.target.template
        wanted = [] if made is not None and not made.merge else [e.secret_key for e in external.parsed.data]
        if made is not None:
            wanted += list(made.data)
        lacking = [key for key in wanted if key not in target.keys]
        empty = [key for key, size in target.keys.items() if not size and key in wanted]
        if lacking:
            what = f"has no key {', '.join(lacking)}, which {external} makes"
            yield error(where, what, facts.sync(external), of=[external.place])
        if empty:
            of_whom = "the value is empty at its source" if not lacking else "it is empty"
            what = f"its key {', '.join(empty)} is empty: {of_whom}"
            look = facts.kubectl("describe", "secret", external.target, "-n", external.place[0])
            yield warning(where, what, look, of=[external.place])


def current(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether it is what a refresh would make of it now, by the digest that ESO leaves on it."""
    for external, target, where in _targets(facts):
        read = facts.reads.get(external.place)
        if not isinstance(target, Target) or not isinstance(read, Read) or read.outcome is None:
            continue
        made = read.outcome.secret
        if external.failing or not read.outcome.synced or made is None or not target.data_hash:
            continue
        parsed = external.parsed
        if (
            parsed is None
            or parsed.target.creation not in ("Owner", "Orphan")
            or _changes(parsed.target.template)
        ):
            continue
        if made.annotations.get(DATA_HASH_ANNOTATION) != target.data_hash:
            since = dig(external.object, "status", "refreshTime") or "an unknown time"
            policy = dig(external.object, "spec", "refreshPolicy") or "Periodic"
            what = f"is not what the server has now: it was refreshed at {since} (refreshPolicy {policy})"
            yield warning(where, what, facts.sync(external), of=[external.place])


def _changes(template: object) -> bool:
    """Whether a template makes something else each time."""
    text = str([*getattr(template, "data", {}).values()]) if template is not None else ""
    return any(word in text for word in _CHANGING)


def readers(facts: Facts) -> Iterator[Found | NotDone]:
    """Whether every pod of the namespace may read all its Secrets by the API."""
    for question, answer in facts.may.items():
        if question.who != everybody_of(question.namespace):
            continue
        if isinstance(answer, Unread):
            yield NotDone("who may read the Secrets", answer.why, (answer.command,))
        elif answer:
            look = ("get", "rolebindings,clusterrolebindings", "-n", question.namespace, "-o", "wide")
            what = "may read every Secret of the namespace, so every pod may that names no service account"
            yield warning(f"ServiceAccount {question.namespace}/default", what, facts.kubectl(*look))


CHECKS = (
    Check("target-namespace", "the namespace of the Secret", "to read Namespaces", namespace),
    Check("target-secret", "the Secret itself, without its values", "to read it", there),
    Check("target-owner", "whose the Secret is", "to read it", owner),
    Check("target-keys", "its keys, and which are empty", "to read it", keys),
    Check("target-current", "whether it is what the server has now", "to read it; the network", current),
    Check(
        "target-readers",
        "who may read the Secret (`auth can-i`)",
        "to create LocalSubjectAccessReviews, or to impersonate",
        readers,
    ),
)
