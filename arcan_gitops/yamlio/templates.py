"""Files of other programs that become manifests once they are rendered: Helm's and Jinja's templates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# Nothing but Helm has these, so that the text is one even where it happens to be YAML. The last is how a
# chart keeps a template of another program: {{ "{{ .password }}" }}.
_HELM: Final = re.compile(
    r"\{\{-?[^}]*(?:\.(?:Values|Release|Chart|Capabilities)\.\w|\binclude\s+\")"
    r"|\{\{-?\s*[\"'`]\s*(?:\{\{|\}\})"
)
# The others only where the text is no YAML: ESO's and Alertmanager's templates have them too.
_MAYBE_HELM: Final = re.compile(r"\{\{-|-\}\}|\{\{\s*(?:if|else|end|with|range|define|template|block)\b")
_JINJA: Final = re.compile(r"\{%|\{#|\{\{\s*[A-Za-z_]\w*\s*(?:\}\}|[.\[(|])")


@dataclass(frozen=True, slots=True)
class Template:
    """Whose template a text is, and the line where it first shows, from 1."""

    program: str
    line: int

    @property
    def problem(self) -> str:
        """What to say of it."""
        return f"a {self.program} template, which is no manifest before it is rendered"


def certain_template(text: str) -> Template | None:
    """What nothing but a template has, also where the text is YAML."""
    return _first(text, "Helm", _HELM)


def likely_template(text: str) -> Template | None:
    """What a text is that is not YAML; None where it is just wrong."""
    return (
        certain_template(text)
        or (_first(text, "Jinja", _JINJA) if "{%" in text else None)
        or _first(text, "Helm", _MAYBE_HELM)
        or _first(text, "Jinja", _JINJA)
    )


def _first(text: str, program: str, pattern: re.Pattern[str]) -> Template | None:
    match = pattern.search(text)
    return Template(program, text.count("\n", 0, match.start()) + 1) if match is not None else None
