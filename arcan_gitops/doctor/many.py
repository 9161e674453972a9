"""Many objects by few commands: by name in several namespaces, of a kind in several namespaces, many rights.

Where the right to all at once lacks, the same is asked for each namespace.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias, TypeVar

from arcan_gitops.doctor.facts import Known, Object, Question, Unread, dig
from arcan_gitops.doctor.findings import Place
from arcan_gitops.doctor.reader import MAY_NOT, Reader, objects_in, together, why

T = TypeVar("T")
Parse: TypeAlias = Callable[[str], Mapping[Place, T] | Unread]
_AT_ONCE: Final = 200  # requests that one kubectl makes, one after the other
_WORTH: Final = 10  # objects for which a list is made
_ACCOUNT: Final = "system:serviceaccount:"
_ACCESS: Final = "authorization.k8s.io/v1"
# what the API server says, whichever authorizer it was: apiserver, responsewriters.ForbiddenStatusError
_FORBIDDEN: Final = re.compile(r'"([^"]+)" is forbidden: .* in the namespace "([^"]+)"')


def listed(
    reader: Reader, kind: str, namespaces: Sequence[str], *arguments: str
) -> dict[str, Known[tuple[Object, ...]]]:
    """The objects of a kind by namespace."""
    if len(namespaces) > 1:
        found = reader.objects(kind, "-A", *arguments)
        if not isinstance(found, Unread):
            there: defaultdict[str, list[Object]] = defaultdict(list)
            for one in found:
                there[one["metadata"]["namespace"]].append(one)
            return {namespace: tuple(there[namespace]) for namespace in namespaces}
        if found.why != MAY_NOT:
            return dict.fromkeys(namespaces, found)
    calls = (partial(reader.objects, kind, "-n", namespace, *arguments) for namespace in namespaces)
    return dict(zip(namespaces, together(*calls), strict=True))


def named(reader: Reader, kind: str, places: Iterable[Place]) -> dict[Place, Known[Object]]:
    """Objects of a kind of `v1` by (namespace, name): no right to list them is needed."""
    return named_as(reader, kind, places, "json", _by_place)


def named_as(
    reader: Reader,
    kind: str,
    places: Iterable[Place],
    form: str,
    parse: Parse[T],
    label: str = "",
) -> dict[Place, Known[T]]:
    """The same in a form of kubectl's `-o`, which `parse` takes apart. Where that is allowed, many are found
    by lists: by the `label` that most of them have, or by a name that is in many namespaces.
    """
    wanted = sorted(set(places))
    found: dict[Place, Known[T]] = {}
    lists = list(_lists(kind, wanted, label))
    printed = together(*(partial(_list_of, reader, kind, words, form, parse) for words, _ in lists))
    for there, (_, settled) in zip(printed, lists, strict=True):
        if there is not None:
            found |= {place: there.get(place) for place in wanted if place in there or place in settled}
    others = [place for place in wanted if place not in found]
    for part in together(*(partial(_part, reader, kind, part, form, parse) for part in _parts(others))):
        found |= part
    return found


def _lists(kind: str, wanted: Sequence[Place], label: str) -> Iterator[tuple[tuple[str, ...], set[Place]]]:
    """(arguments, what is not there if it is not in this list) of each list that is worth it."""
    if len(wanted) < _WORTH:
        return
    namespaces = {place for place, _ in wanted}
    where = ("-A",) if len(namespaces) > 1 else ("-n", *namespaces)
    if label:
        yield (*where, "-l", label), set()
        return
    if kind == "Namespace":
        yield (), set(wanted)
        return
    by_name: defaultdict[str, set[Place]] = defaultdict(set)
    for place in wanted:
        by_name[place[1]].add(place)
    for name, places in by_name.items():
        if len(places) >= _WORTH:
            yield (*where, f"--field-selector=metadata.name={name}"), places


def _list_of(
    reader: Reader, kind: str, arguments: Sequence[str], form: str, parse: Parse[T]
) -> Mapping[Place, T] | None:
    text, error = reader.printed("get", f"{kind.lower()}s", *arguments, "--ignore-not-found", "-o", form)
    there = parse(text) if error is None else None
    return None if isinstance(there, Unread) else there


def _parts(wanted: Sequence[T]) -> Iterator[Sequence[T]]:
    yield from (wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE))


def _part(
    reader: Reader, kind: str, places: Sequence[Place], form: str, parse: Parse[T]
) -> dict[Place, Known[T]]:
    spaces = [{"namespace": place} if place else {} for place, _ in places]
    manifests = [
        {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **space}}
        for (_, name), space in zip(places, spaces, strict=True)
    ]
    text, error = reader.printed("get", "-f", "-", "--ignore-not-found", "-o", form, data=_list(manifests))
    there = parse(text)
    if isinstance(there, Unread):
        return dict.fromkeys(places, there)
    found: dict[Place, Known[T]] = {place: there.get(place) for place in places}
    if error is not None:
        refused = {(place, name) for name, place in _FORBIDDEN.findall(error)}
        lines = [line for line in error.splitlines() if line.strip() and not line.startswith("Warning:")]
        is_all = bool(lines) and all(map(_FORBIDDEN.search, lines))
        for place, name in places:
            is_refused = (place or name, name) in refused
            if found[place, name] is None and (is_refused or not is_all):  # else it is not there
                command = reader.command("get", kind.lower(), name, *(("-n", place) if place else ()))
                found[place, name] = Unread(MAY_NOT if is_refused else why(error), command)
    return found


def _list(manifests: Sequence[Mapping[str, object]]) -> bytes:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}).encode()


def _by_place(text: str) -> Mapping[Place, Object] | Unread:
    found = objects_in(text)
    if isinstance(found, Unread):
        return found
    return {(dig(one, "metadata", "namespace") or "", one["metadata"]["name"]): one for one in found}


def rights(reader: Reader, questions: Iterable[Question]) -> dict[Question, Known[bool]]:
    """What somebody may do: by SubjectAccessReviews, which are answered and not stored; or, without the right
    to those, by impersonation. Namespace "" is all of them.
    """
    wanted = list(dict.fromkeys(questions))
    parts = together(*(partial(_reviewed, reader, part) for part in _parts(wanted)))
    found: dict[Question, Known[bool]] = {each: may for part in parts for each, may in part.items()}
    others = [each for each in wanted if each not in found]
    if others:
        first = found[others[0]] = _may(reader, others[0])
        if isinstance(first, Unread):  # nor may it be asked for the others
            return found | dict.fromkeys(others, first)
        found |= zip(others[1:], together(*(partial(_may, reader, each) for each in others[1:])), strict=True)
    return {each: found[each] for each in wanted}


def _may(reader: Reader, each: Question) -> bool | Unread:
    return reader.may(each.verb, each.resource, each.namespace, each.who)


def _reviewed(reader: Reader, questions: Sequence[Question]) -> dict[Question, bool]:
    """Those that were answered."""
    text, _ = reader.printed("create", "-f", "-", "-o", "json", data=_list(list(map(_review, questions))))
    found = objects_in(text)
    return {} if isinstance(found, Unread) else dict(_answers(found))


def _review(each: Question) -> dict[str, object]:
    attributes = {"namespace": each.namespace, "verb": each.verb, "resource": each.resource}
    spec = {"user": each.who, "groups": _groups(each.who), "resourceAttributes": attributes}
    if not each.namespace:
        return {"apiVersion": _ACCESS, "kind": "SubjectAccessReview", "metadata": {}, "spec": spec}
    metadata = {"namespace": each.namespace}  # the right to ask is often of one namespace
    return {"apiVersion": _ACCESS, "kind": "LocalSubjectAccessReview", "metadata": metadata, "spec": spec}


def _groups(who: str) -> list[str]:
    """Those that the API server gives a service account by itself."""
    namespace = who.removeprefix(_ACCOUNT).partition(":")[0]
    return ["system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{namespace}"]


def _answers(found: Sequence[Object]) -> Iterator[tuple[Question, bool]]:
    for one in found:
        wanted = dig(one, "spec", "resourceAttributes") or {}
        who, allowed = dig(one, "spec", "user"), dig(one, "status", "allowed")
        if who and isinstance(allowed, bool):
            yield Question(who, wanted["verb"], wanted["resource"], wanted.get("namespace", "")), allowed
