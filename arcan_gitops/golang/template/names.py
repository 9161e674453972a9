"""Every function that a template of ESO's can call: Go's own, those of sprig, those of ESO.

Source: Go text/template funcs.go; github.com/Masterminds/sprig v3.3.0 functions.go, and from ESO 2.2 its own
copy in runtime/template/v2/sprig; ESO runtime/template/v2/template.go (pkg/template/v2 up to 0.20).
`scripts/template_vectors.sh` compares the list with ESO's function map.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_BUILTIN: Final = """
and call eq ge gt html index js le len lt ne not or print printf println slice urlquery
"""
_SPRIG: Final = """
abbrev abbrevboth add add1 add1f addf adler32sum ago all any append atoi b32dec b32enc b64dec b64enc base
bcrypt biggest buildCustomCert camelcase cat ceil chunk clean coalesce compact concat contains date
dateInZone dateModify date_in_zone date_modify decryptAES deepCopy deepEqual default derivePassword dict
dig dir div divf duration durationRound empty encryptAES ext fail first float64 floor fromJson genCA
genCAWithKey genPrivateKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey
get getHostByName has hasKey hasPrefix hasSuffix hello hexdec htmlDate htmlDateInZone htpasswd indent
initial initials int int64 isAbs join kebabcase keys kindIs kindOf last list lower max maxf merge
mergeOverwrite min minf mod mul mulf mustAppend mustChunk mustCompact mustDateModify mustDeepCopy
mustFirst mustFromJson mustHas mustInitial mustLast mustMerge mustMergeOverwrite mustPrepend mustPush
mustRegexFind mustRegexFindAll mustRegexMatch mustRegexReplaceAll mustRegexReplaceAllLiteral
mustRegexSplit mustRest mustReverse mustSlice mustToDate mustToJson mustToPrettyJson mustToRawJson
mustUniq mustWithout must_date_modify nindent nospace now omit osBase osClean osDir osExt osIsAbs pick
pluck plural prepend push quote randAlpha randAlphaNum randAscii randBytes randInt randNumeric regexFind
regexFindAll regexMatch regexQuoteMeta regexReplaceAll regexReplaceAllLiteral regexSplit repeat replace
rest reverse round semver semverCompare seq set sha1sum sha256sum sha512sum shuffle slice snakecase
sortAlpha split splitList splitn squote sub subf substr swapcase ternary title toDate toDecimal toJson
toPrettyJson toRawJson toString toStrings trim trimAll trimPrefix trimSuffix trimall trunc tuple typeIs
typeIsLike typeOf uniq unixEpoch unset until untilStep untitle upper urlJoin urlParse uuidv4 values
without wrap wrapWith
"""
_ESO: Final = """
certSANs filterCertChain filterPEM fromYaml fullPemToPkcs12 fullPemToPkcs12Pass getSecretKey
jwkPrivateKeyPem jwkPublicKeyPem pemToPkcs12 pemToPkcs12Pass pemTruststoreToPKCS12
pemTruststoreToPKCS12Pass pkcs12cert pkcs12certPass pkcs12key pkcs12keyPass rsaDecrypt toYaml
"""


@dataclass(frozen=True, slots=True)
class Existence:
    """The versions (major, minor) of ESO that have a function: from `since` on, and before `until`."""

    since: tuple[int, int] = (0, 0)
    until: tuple[int, int] | None = None

    def in_version(self, major: int, minor: int) -> bool:
        """Whether that version has it."""
        return self.since <= (major, minor) and (self.until is None or (major, minor) < self.until)


# Those that not every version since 0.16 has; the first and last tags that have them.
EXISTENCE: Final[Mapping[str, Existence]] = {
    "certSANs": Existence((2, 2)),
    "getHostByName": Existence(until=(2, 3)),
    "getSecretKey": Existence((0, 20), (1, 2)),
    "hexdec": Existence((2, 7)),
    "pemTruststoreToPKCS12": Existence((0, 20)),
    "pemTruststoreToPKCS12Pass": Existence((0, 20)),
    "rsaDecrypt": Existence((0, 20)),
    "sha512sum": Existence((1, 1)),
}
BUILTIN: Final = frozenset(_BUILTIN.split())
ALL: Final = BUILTIN | frozenset(_SPRIG.split()) | frozenset(_ESO.split())
