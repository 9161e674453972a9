"""JUnit XML as CI systems read it: a suite a source, a case a manifest."""

from __future__ import annotations

from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from arcan_gitops.errors import printable, printable_lines
from arcan_gitops.validate.results import Report, Status, count


def render(report: Report) -> str:
    """`failure` for an invalid manifest, `error` for one that could not be judged."""
    root = Element("testsuites", name="arcan validate")
    for source, group in groupby(report.results, key=lambda result: result.source):
        results = list(group)
        counts = count(results)
        suite = SubElement(
            root,
            "testsuite",
            name=printable(source),
            tests=str(len(results)),
            failures=str(counts[Status.INVALID]),
            errors=str(counts[Status.ERROR]),
        )
        for result in results:
            name = " ".join(part for part in (result.kind, result.full_name) if part) or "manifests"
            case = SubElement(suite, "testcase", classname=printable(source), name=printable(name))
            if result.status is not Status.VALID:
                tag = "failure" if result.status is Status.INVALID else "error"
                message = printable_lines(result.message)
                SubElement(case, tag, message=message).text = message
    indent(root)
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text.decode() + "\n"
