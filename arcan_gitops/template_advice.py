"""What to do about a text that Go cannot parse as a template: for the errors of generation and of lint.

The texts of the errors are those of Go's text/template/parse, as `golang.template` raises them.
"""

from __future__ import annotations

import re
from typing import Final

from arcan_gitops.golang.template.names import ALL
from arcan_gitops.names import nearest

_UNKNOWN: Final = re.compile(r'function "(\w+)" not defined')
_DASHED: Final = re.compile(r"\.(\w+(?:-\w+)+)")
_VARIABLE: Final = re.compile(r'undefined variable "(\$\w*)"')
_FUNCTIONS: Final = (
    "functions are Go's, sprig's and those of https://external-secrets.io/latest/guides/templating/"
)
_ADVICE: Final = (
    ("unclosed action", "close each '{{' with '}}'"),
    ("unexpected EOF", "add {{ end }}: an if, range, with, define or block is not closed"),
    ("unexpected {{end}}", "remove this {{ end }}, or add the if, range or with that it closes"),
    ("unexpected {{else}}", "put {{ else }} between {{ if }} and its {{ end }}"),
    ("unterminated raw quoted string", "close the text with `"),
    ("unterminated", 'close the text with the quote that opens it: "text"'),
    ("malformed character constant", "put the text in double quotes: single ones hold one letter"),
    ("missing value", "write what is to be printed or tested: {{ .key }}"),
    ("left paren", "add the ')' that is missing"),
    ("right paren", "remove this ')', or add the '(' that it closes"),
    ("comment", "write a comment as {{/* text */}}"),
    ("outside {{range}}", "break and continue are for inside of {{ range }}"),
    ("in template clause", 'put the name of the template in double quotes: {{ template "name" . }}'),
    ("non executable command", "after '|' comes a function: {{ .key | upper }}"),
    ('unexpected "="', "compare with a function: {{ if eq .a .b }}"),
    ('unexpected "&"', "write {{ if and .a .b }}"),
    ('unexpected "!"', "write {{ if not .a }}, or {{ if ne .a .b }}"),
    ('unexpected "?"', "write {{ ternary .a .b (eq .c \"x\") }}, or {{ if }} with {{ else }}"),
    ('unexpected "{"', "write one pair of braces, '{{' and '}}', around the whole action"),
    ("illegal number syntax", "calculate with a function: {{ add .a 1 }}"),
    ("bad number syntax", 'a key that starts with a digit or a dash is read by index: {{ index . "1key" }}'),
    ("multiple definition", "define each template once"),
    ("bad character", 'a key with other than letters, digits and "_": {{ index . "my-key" }}'),
)  # fmt: skip


def advice(text: str, problem: str) -> str:
    """What mends the text of which Go says `problem`. Quotes of the text no more than a name or two."""
    if (unknown := _UNKNOWN.search(problem)) is not None:
        near = nearest(unknown[1], ALL)
        return _FUNCTIONS if near is None else f"did you mean '{near}'?"
    if "U+002D" in problem and (dashed := _DASHED.search(text)) is not None:
        return f'a name with a dash is reached by index: {{{{ index . "{dashed[1]}" }}}}'
    if (variable := _VARIABLE.search(problem)) is not None:
        name = variable[1]
        return f"set it first, {{{{ {name} := .key }}}}; or, for a key of the Secret: .{name[1:]}"
    return next((what for words, what in _ADVICE if words in problem), _FUNCTIONS)


def undefined_template(name: str) -> tuple[str, str]:
    """(what is wrong, what to do) with the include of a template that nothing defines."""
    return (
        f'includes the template "{name}", which it does not define',
        f'define it in the same text: {{{{ define "{name}" }}}}...{{{{ end }}}}',
    )
