"""Findings as hosts of Git read them: SARIF 2.1.0, and the workflow commands of GitHub Actions.

Source: OASIS SARIF 2.1.0, sections 3.13 to 3.30; GitHub Actions, workflow commands, with @actions/core
command.ts for what is escaped where.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arcan_gitops import __version__


def sarif_log(tool: str, rules: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]]) -> Any:
    """One run of a tool with every rule, and its results."""
    driver = {"name": tool, "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}


def sarif_rule(rule_id: str, title: str, more: str, level: str) -> dict[str, Any]:
    """A rule as a tool's driver has it; the command `more` says more about it."""
    return {
        "id": rule_id,
        "shortDescription": {"text": f"Finds {title}."},
        "help": {"text": more, "markdown": f"`{more}`"},
        "defaultConfiguration": {"level": level},
    }


def sarif_location(uri: str, line: int) -> dict[str, Any]:
    """A line of a file; the URI is quoted by who knows what the path is made of."""
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}}


def workflow_command(level: str, properties: Mapping[str, str], text: str) -> str:
    """`::error file=...,line=...,title=ARC020::text`, which GitHub shows beside the line."""
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {shown}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
