"""What a review says, as data: three kinds of findings, each with an id and a page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PAGES: Final = "docs/review"


class Kind(StrEnum):
    """BROKEN: it would fail, or lose or give away something. GAIN: somebody or something can read, receive or
    decide more than before. NOTE: what else changes.
    """

    BROKEN = "broken"
    GAIN = "gain"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that a review says; `title` completes "finds ..."."""

    id: str
    kind: Kind
    title: str

    @property
    def page(self) -> str:
        """Where it is explained."""
        return f"{PAGES}/{self.id}.md"


@dataclass(frozen=True, slots=True)
class Finding:
    """One place of it. Names of the branch stand in both texts as they are: each format makes them harmless.

    `next` is the command to type, or what to do; `path` is empty where no file is the place.
    """

    rule: Rule
    message: str
    next: str
    path: str = ""
    line: int = 0

    @property
    def kind(self) -> Kind:
        """That of its rule."""
        return self.rule.kind


_TITLES: Final = {
    "ARR101": "a MAC that was made for other values",
    "ARR102": "a MAC that was made at another time, or by another rule",
    "ARR103": "a value that is silently the old one again",
    "ARR104": "a ciphertext at another key than its own",
    "ARR105": "the marks of a conflict",
    "ARR106": "a file that cannot be read",
    "ARR107": "a reference to what is not there",
    "ARR108": "the removal of something that is used",
    "ARR109": "a Kubernetes Secret that vanishes, and nothing says so",
    "ARR110": "a token that has ended and is used",
    "ARR111": "a document with one recipient left",
    "ARR112": "a realm without an owner",
    "ARR113": "a value in clear in a document",
    "ARR114": "a private key, an identity, a token or a Kubernetes Secret with values",
    "ARR115": "a comment in clear in a document",
    "ARR116": "recipients that left, and the same data key",
    "ARR117": "a manifest that Argo CD would read and that nothing generated",
    "ARR118": "recipients that are not those of the rule",
    "ARR119": "overlays that are not what the apps ask for",
    "ARR120": "what `arcan realm check` refuses",
    "ARR121": "what `arcan lint` refuses",
    "ARR122": "a key that goes without its record",
    "ARR123": "what `arcan validate` refuses",
    "ARR124": "another type of a Kubernetes Secret that is there",
    "ARR201": "somebody who can open a document",
    "ARR202": "a rule that names somebody",
    "ARR203": "a token that opens more",
    "ARR204": "an account that may read more",
    "ARR205": "a cluster whose signatures count",
    "ARR206": "an app that receives more",
    "ARR207": "an app that lands elsewhere",
    "ARR208": "an overlay of another environment",
    "ARR209": "credentials that are sent elsewhere",
    "ARR210": "a policy, an exemption or a condition that is weaker",
    "ARR211": "a realm that allows more",
    "ARR212": "Secrets that are deleted with their keys",
    "ARR213": "a change of who checks the checks",
    "ARR214": "a document that is rolled back",
    "ARR215": "the document of another place",
    "ARR216": "a new data key with every value encrypted anew",
    "ARR217": "a manifest of your own that deals with secrets",
    "ARR218": "an app that receives a realm's keys, and whose file others own",
    "ARR301": "keys that are new",
    "ARR302": "keys that are gone",
    "ARR303": "keys with another name",
    "ARR304": "keys whose value changed",
    "ARR305": "documents that are only wrapped anew",
    "ARR306": "a value that nobody who can read has vouched for",
    "ARR307": "Kubernetes Secrets that are made, changed, renamed or gone",
    "ARR308": "when apps get a change",
    "ARR309": "keys that no app uses",
    "ARR310": "tokens that can read more than their apps use",
    "ARR311": "how old a changed value was, and where the key stays as it is",
    "ARR312": "realms, environments, apps and overlays that come or go",
    "ARR313": "access that ends",
    "ARR314": "what could not be seen",
    "ARR315": "what was so before",
    "ARR316": "manifests of your own that Argo CD deploys",
}
_KINDS: Final = {"1": Kind.BROKEN, "2": Kind.GAIN, "3": Kind.NOTE}
RULES: Final = {name: Rule(name, _KINDS[name[3]], title) for name, title in _TITLES.items()}
