"""Small inputs from real use; README.md says what is the right result for each, and the tests here prove it."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

from tests.eso.endpoint import Answer, Asked, Endpoint

CASES = Path(__file__).parent
_WRITTEN_FOR = "https://localhost:18443/"


def case(folder: str, start: str) -> Path:
    """The one file or folder of `folder` whose name starts so: `case("eso", "k03")`."""
    (found,) = (path for path in (CASES / folder).iterdir() if path.name.startswith(start))
    return found


def for_endpoint(manifests: Path, endpoint: Endpoint) -> str:
    """The text of a case of eso/, with the endpoint's address and CA in its stores."""
    text = manifests.read_text().replace(_WRITTEN_FOR, f"https://localhost:{endpoint.port}/")
    return re.sub(r"(caBundle: )\w+=*", rf"\g<1>{base64.b64encode(endpoint.ca.encode()).decode()}", text)


def answer(asked: Asked) -> Answer:
    """What eso/answers.json has for the path, else 404; give it to `Endpoint.says`."""
    bodies: dict[str, str] = json.loads(case("eso", "answers.json").read_text())
    body = bodies.get(asked.target)
    return Answer(404) if body is None else Answer(200, body.encode())
