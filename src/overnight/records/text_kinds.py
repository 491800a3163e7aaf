"""What kind of text a record holds, as far as its title and its own columns say: retracted, a correction, in which
language. By words that databases and publishers use; nothing is guessed from the text itself, and nothing follows from
it here: a person is told, and may write a criterion.
"""

import re
from enum import StrEnum
from typing import Final

SHORT_CHARS: Final = 100
"""An abstract of fewer characters is listed: often a cut one, or a remark."""


class TextKind(StrEnum):
    """What `check` counts. A record may be of several."""

    NO_ABSTRACT = "no_abstract"
    SHORT_ABSTRACT = "short_abstract"
    RETRACTED = "retracted"
    RETRACTION_NOTICE = "retraction_notice"
    CORRECTION = "correction"
    COMMENT = "comment"
    OTHER_LANGUAGE = "other_language"
    SPEAKS_TO_MODEL = "speaks_to_model"


_RETRACTED: Final = re.compile(
    r"[\[(]?\s*(?:retracted|withdrawn)(?: (?:article|paper|chapter|publication))?\s*[\])]?\s*(?:[:.–—-]|(?<=[\])]))"
    r"|.*[\[(]retracted(?: (?:article|paper|chapter|publication)\b[^\])]*)?[\])]\.?$",
    re.IGNORECASE | re.DOTALL,
)
_NOTICE: Final = re.compile(
    r"(?:statement|notice) of (?:retraction|withdrawal)\b|(?:retraction|withdrawal) (?:note|notice|statement)\b"
    r"|(?:partial )?retraction\s*(?::|of:|$)|(?:editorial )?expression of concern\b",
    re.IGNORECASE,
)
_CORRECTION: Final = re.compile(
    r"(?:[\[(]\s*)?(?:published )?(?:errat(?:um|a)|corrigend(?:um|a)|addendum)\b"
    r"|(?:author |publisher |editorial )?corrections?(?:\s*[:.–—]|\s*$| to\s*:| to ['\"“‘«])|correction to\b"
    r"|fe de err?atas?\b|berichtigung(?: zu)?\s*:|rectificatif\s*:",
    re.IGNORECASE,
)
_COMMENT: Final = re.compile(
    r"(?:invited )?comments? on\b|(?:invited )?comment(?:ary)?\s*:|commentary on\b|re\s*:\s|in reply\b|reply to\b"
    r"|(?:authors?['’]? |author['’]s )(?:reply|response)\b|response to\s*[:'\"“‘«]|letter(?:s)? to the editor\b"
    r"|editorial\s*:",
    re.IGNORECASE,
)
_TYPES: Final = {
    "retracted publication": TextKind.RETRACTED,
    "retracted": TextKind.RETRACTED,
    "retracted article": TextKind.RETRACTED,
    "retraction of publication": TextKind.RETRACTION_NOTICE,
    "retraction notice": TextKind.RETRACTION_NOTICE,
    "retraction": TextKind.RETRACTION_NOTICE,
    "expression of concern": TextKind.RETRACTION_NOTICE,
    "published erratum": TextKind.CORRECTION,
    "erratum": TextKind.CORRECTION,
    "corrigendum": TextKind.CORRECTION,
    "correction": TextKind.CORRECTION,
    "comment": TextKind.COMMENT,
    "commentary": TextKind.COMMENT,
    "letter": TextKind.COMMENT,
    "editorial": TextKind.COMMENT,
    "editorial material": TextKind.COMMENT,
}
"""Publication types of PubMed, document types of Scopus, Web of Science and Embase."""
_BY_TITLE: Final = (
    (_RETRACTED, TextKind.RETRACTED),
    (_NOTICE, TextKind.RETRACTION_NOTICE),
    (_CORRECTION, TextKind.CORRECTION),
    (_COMMENT, TextKind.COMMENT),
)


def kinds_of_title(title: str) -> frozenset[TextKind]:
    """What the title begins with (`RETRACTED: …`, `Erratum to …`) or ends in (`… (Retracted article. See …)`)."""
    title = title.lstrip("\"'“‘ ")
    return frozenset(kind for pattern, kind in _BY_TITLE if pattern.match(title))


def kinds_of_types(types: str) -> frozenset[TextKind]:
    """Of a column of types, several of them separated by `;`, `|`, `,` or a line break."""
    named = (one.strip().casefold() for one in re.split(r"[;|,\n]", types))
    return frozenset(_TYPES[one] for one in named if one in _TYPES)


_CODES: Final = {
    "english": "eng en",
    "german": "ger deu de deutsch allemand",
    "french": "fre fra fr francais français",
    "spanish": "spa es espanol español castellano castilian",
    "portuguese": "por pt portugues português",
    "italian": "ita it italiano",
    "dutch": "dut nld nl nederlands flemish",
    "chinese": "chi zho zh 中文 mandarin",
    "japanese": "jpn ja 日本語",
    "korean": "kor ko 한국어",
    "russian": "rus ru русский",
    "polish": "pol pl polski",
    "turkish": "tur tr türkçe turkce",
    "arabic": "ara ar العربية",
    "persian": "per fas fa farsi فارسی",
    "czech": "cze ces cs čeština",
    "danish": "dan da dansk",
    "swedish": "swe sv svenska",
    "norwegian": "nor nob nno no nb nn norsk",
    "finnish": "fin fi suomi",
    "hungarian": "hun hu magyar",
    "greek": "gre ell el",
    "hebrew": "heb he iw",
    "ukrainian": "ukr uk",
}
_LANGUAGES: Final = {code: name for name, codes in _CODES.items() for code in (name, *codes.split())}
_NOT_SAID: Final = frozenset({"", "und", "undetermined", "unknown", "not specified", "n/a", "none", "mul", "zxx"})


def languages_of(declared: str) -> tuple[str, ...]:
    """The languages a record says it is in, as English words, in its order; one we do not know is given as it is.

    `eng; ger`, `English`, `en-US`, `de_AT`. Empty: it says none.
    """
    found = []
    for one in re.split(r"[;|,/\n]", declared):
        word = one.strip().casefold().strip("[]().")
        if word not in _NOT_SAID:
            found.append(_LANGUAGES.get(word) or _LANGUAGES.get(re.split(r"[-_ ]", word)[0]) or word)
    return tuple(dict.fromkeys(found))
