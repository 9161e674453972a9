"""Manifests, judged against the schemas of each ESO version asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from arcan_gitops.errors import ArcanError
from arcan_gitops.validate.engine import Case, Engine
from arcan_gitops.validate.manifests import Manifest
from arcan_gitops.validate.results import Report, Result, Status
from arcan_gitops.validate.schemaset import NoSuchKind, SchemaSet, order
from arcan_gitops.validate.sources import Source, builder_of, read


def validate(
    sources: tuple[Source, ...],
    engine: Engine,
    sets: Sequence[SchemaSet],
    own: Mapping[str, SchemaSet] | None = None,
) -> Report:
    """One result a manifest, in the order of the sources; with several ESO versions it must fit them all.

    `own` has the one version for a source that has its own, by its name; `sets` are for the others. Raises
    `ArcanError` where there is nothing to validate, and where a tool is missing or fails.
    """
    kustomize = builder_of(sources)
    items = read(sources, kustomize)
    if not items:
        raise ArcanError(
            "nothing to validate",
            hint="write the overlays with 'arcan generate overlays', or give a directory, files, or -",
        )
    against: dict[tuple[SchemaSet, ...], list[int]] = {}
    for number, item in enumerate(items):
        single = (own or {}).get(item.source)
        against.setdefault(tuple(sets) if single is None else (single,), []).append(number)
    results: dict[int, Result] = {}
    for wanted, numbers in against.items():
        judged = [judge([items[number] for number in numbers], engine, schemas) for schemas in wanted]
        names = [schemas.eso_version for schemas in wanted]
        merged = (_merge(each, names, always=len(against) > 1) for each in zip(*judged, strict=True))
        results |= zip(numbers, merged, strict=True)
    used = {schemas.eso_version: schemas.known_up_to for wanted in against for schemas in wanted}
    builder = kustomize.shown if kustomize is not None else ""
    ordered = tuple(results[number] for number in range(len(items)))
    return Report(builder, engine.name, tuple(sorted(used, key=order)), next(iter(used.values())), ordered)


def judge(items: Sequence[Manifest | Result], engine: Engine, schemas: SchemaSet) -> list[Result]:
    """One result an item, in order; a kind without a schema is an error, never skipped."""
    results: dict[int, Result] = {}
    cases: dict[int, Case] = {}
    for number, item in enumerate(items):
        if isinstance(item, Result):
            results[number] = item
            continue
        try:
            cases[number] = Case.of(item, schemas.find(item.api_version, item.kind))
        except NoSuchKind as error:
            results[number] = item.result(Status.ERROR, error.message)
    results |= zip(cases, engine.judge(list(cases.values()), schemas), strict=True)
    return [results[number] for number in range(len(items))]


def _merge(results: Sequence[Result], versions: Sequence[str], *, always: bool) -> Result:
    """One result out of one for each ESO version: the worst status, and which versions say what.

    Where all say the same, it is said without them, unless `always`: other sources are judged by others.
    """
    if all(result == results[0] for result in results) and not (
        always and results[0].status is Status.INVALID
    ):
        return results[0]
    said: dict[str, list[str]] = {}
    for result, version in zip(results, versions, strict=True):
        if result.status is not Status.VALID:
            said.setdefault(result.message, []).append(version)
    message = "; ".join(f"with ESO {', '.join(where)}: {what}" for what, where in said.items())
    statuses = {result.status for result in results}
    status = Status.ERROR if Status.ERROR in statuses else Status.INVALID
    first = results[0]
    return Result(first.source, first.kind, first.name, first.namespace, status, message)
