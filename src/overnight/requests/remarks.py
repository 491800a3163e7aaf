"""What stands in an abstract's place or at its end and is not the work's: a database's remark, a publisher's notice."""

import re
from collections.abc import Iterator
from typing import Final

_MOST_REMARK_CHARS: Final = 90

# English, German, French, Spanish, Portuguese, Italian, Dutch, Polish, Swedish, Danish, Norwegian, Turkish, Russian,
# Chinese, Japanese, Korean: as PubMed, Scopus, Embase, PsycInfo, CNKI, J-STAGE and reference managers write it.
_NO_ABSTRACT: Final = re.compile(
    r"(?:sorry,? )?(?:there is |this (?:article|record|item|paper) has )?(?:no|without(?: an?)?|missing) abstract"
    r"(?: (?:is|was))?(?: (?:available|provided|given|supplied|found|present|listed|included|entered))?"
    r"(?: for this (?:article|record|item|paper|publication|document|title))?"
    r"|(?:the )?abstracts?(?: (?:is|was|are))? (?:not (?:available|provided|supplied|given|included|found)|unavailable"
    r"|missing)(?: for this (?:article|record|item|paper|publication|document|title))?"
    r"|no (?:summary|english abstract)(?: (?:is )?(?:available|provided))?"
    r"|kein(?:e|en)? (?:abstracts?|zusammenfassung|kurzfassung)(?: (?:verfügbar|vorhanden|angegeben))?"
    r"|(?:abstract|zusammenfassung|kurzfassung) (?:ist )?(?:nicht (?:verfügbar|vorhanden)|fehlt)"
    r"|(?:pas|aucun)(?: de)? (?:résumé|resume|abstract)(?: (?:n'est )?disponible)?"
    r"|(?:le )?(?:résumé|resume|abstract) (?:n'est pas|non|pas) disponible|(?:résumé|resume) indisponible"
    r"|(?:no hay|sin|no existe)(?: un)? (?:resumen|abstract)(?: disponible)?|(?:resumen|abstract) no disponible"
    r"|no (?:abstract|resumen) disponible"
    r"|(?:sem|não há|nao ha) (?:resumo|abstract)(?: dispon[íi]vel)?|(?:resumo|abstract) (?:não dispon[íi]vel"
    r"|nao disponivel|indispon[íi]vel)"
    r"|(?:nessun|senza) (?:abstract|riassunto|sommario)(?: disponibile)?"
    r"|(?:abstract|riassunto|sommario) non disponibile"
    r"|geen (?:abstract|samenvatting)(?: beschikbaar)?|(?:abstract|samenvatting) (?:is )?niet beschikbaar"
    r"|brak (?:abstraktu|streszczenia)|(?:inget|ingen|intet) (?:abstract|abstrakt|sammanfattning|sammendrag|resumé)"
    r"(?: (?:tillgängligt|tillgänglig|tilgængeligt|tilgjengelig))?"
    r"|özet (?:yok|mevcut değil|bulunmamaktadır)|(?:нет аннотации|аннотация отсутствует|без аннотации)"
    r"|(?:无|無|暂无|暫無|没有|沒有)(?:中文|英文)?摘要|(?:抄録|要旨|要約|アブストラクト)(?:なし|はありません)"
    r"|초록(?:이)? ?(?:없음|없습니다)"
)


def says_no_abstract(text: str) -> bool:
    """Whether it says that there is no abstract, in a sentence that databases write in its place, and nothing else."""
    if len(text) > _MOST_REMARK_CHARS:
        return False
    words = text.strip("[](){}<>*.。!-–—: \n\t").casefold().replace("’", "'").split()
    return _NO_ABSTRACT.fullmatch(" ".join(words)) is not None


def end_of_words(text: str) -> int:
    """Where what the work says ends: 0 for a remark that there is no abstract, before a copyright notice, else the end.

    A notice is left out only at the end, from where a sentence begins, where every sentence from there on is one, and
    never where nothing would be left.
    """
    if says_no_abstract(text):
        return 0
    end = len(text)
    while _may_be_notice(text[max(0, end - _NEAR_END) : end]):
        start = _notice(text, end)
        if start == end:
            break
        end = start
    return end


_NEAR_END: Final = 500
_SIGNS: Final = (
    *("©", "(c)", "copyright", "right reserved", "rights reserved", "vorbehalten", "droits réservés", "reservados"),
    *("riservati", "psycinfo", "abstract from"),
)
_WINDOW: Final = 1_500


def _may_be_notice(tail: str) -> bool:
    tail = tail.lower()
    return any(sign in tail for sign in _SIGNS)


_PROSE: Final = re.compile(
    r"\b(?:was|were|is|are|be|been|has|have|had|we|our|did|does|do|may|can|could|should|than|between|show\w*|suggest\w*"
    r"|found|patients?|stud(?:y|ies)|results?|effects?|significant\w*|increased?|decreased?|reduced?|improved?)\b",
    re.IGNORECASE,
)
_YEAR: Final = r"(?:1[89]|20)\d\d"
_SURE: Final = re.compile(
    r"(?:Journal compilation |Crown |Published )?(?:Copyright\s*|COPYRIGHT\s*)?©\s*(?:Copyright\s*)?[,\s]*"
    rf"(?:{_YEAR}\b|[A-Z])[^;!?\n]{{0,220}}"
    rf"|(?:[Cc]opyright|COPYRIGHT)\s*(?:\([Cc]\)|{_YEAR}\b(?=[,.\s]*(?:$|[A-Z(©]|by\b|the\b))|The Author|by the)"
    rf"[^;!?\n]{{0,220}}"
    rf"|\([Cc]\)\s*(?:Copyright\s*)?{_YEAR}\b[^;!?\n]{{0,220}}"
)
_ALWAYS: Final = re.compile(
    r"(?:all |alle |tous |todos |tutti )?(?:the )?(?:rights?|rechte|(?:les )?droits|(?:los |os )?(?:derechos|direitos)"
    r"|(?:i )?diritti)(?: (?:are|sont))? (?:reserved|vorbehalten|réservés|reservados|riservati)"
    r"|this (?:article|work|document|paper|material|publication) is protected by (?:u\.?s\.? )?copyright.{0,150}"
    r"|\(?psyc(?:info|articles?|extra)\s?(?:®)? database record\b.{0,150}"
    r"|\[?abstract from (?:author|publisher)(?:\(s\))?\]?",
    re.IGNORECASE,
)
_PUBLISHED: Final = re.compile(r"Published (?:online )?by [A-Z][^;!?\n]{1,100}")
"""Before a sure sentence, and after one."""
_AFTER: Final = re.compile(
    r"(?:[A-Z][^;!?\n]{0,160} )?[Pp]ublished (?:online )?(?:by|on behalf of) [^;!?\n]{1,160}"
    r"|(?:This is an |An |This article is an? )?[Oo]pen[- ][Aa]ccess [^!?\n]{0,300}|Licen[sc]ee [^;!?\n]{1,100}"
    r"|(?:This article is (?:distributed|licensed)|Distributed|Licensed) under [^!?\n]{1,200}"
    r"|No claim to original U\.? ?S\.? [Gg]overnment works|For permissions[^!?\n]{1,120}|[A-Z]\. ?[A-Z]?"
)
_NAME: Final = re.compile(
    r"(?:[A-Z][\w.&'’/-]*|of|and|for|the|&|on|behalf|in|de|et|und|für|,|\s){1,24}"
)  # `Jude Hospital`, `Ltd`, `V`: what a full stop inside a company's name leaves of it
_EBSCO: Final = re.compile(
    r"Copyright of [^\n]{1,250}? is the property of [^\n]{1,250}? and its content may not be copied [^\n]{0,700}"
)
_BEGIN: Final = re.compile(
    r"(?<=[.!?)\]。])[\"”’')\]]*\s*(?=©)|(?<=[.!?。])[\"”’')\]]*\s+(?=[A-Z©(\[])|(?<=[)\]])\s+(?=[C©\[])|\n\s*|(?<=。)"
)


def _notice(text: str, end: int) -> int:
    """Where the notice begins that ends at `end`; `end` where there is none."""
    begins = list(_begins(text, max(0, end - _WINDOW), end))
    found = until = next((start for start in begins if _EBSCO.fullmatch(text, start, end)), end)
    for start in reversed([one for one in begins if one < until]):
        sentence = text[start:until].strip().rstrip(".。 ")
        if sentence and not _is_notice(sentence):
            break
        if sentence and (_is_sure(sentence) or (found < end and _PUBLISHED.fullmatch(sentence))):
            found = start
        until = start
    return found if text[:found].strip() else end


def _begins(text: str, start: int, end: int) -> Iterator[int]:
    """Where sentences begin in text[start:end]."""
    if not start:
        yield 0
    for match in _BEGIN.finditer(text, start, end):
        if match.end() < end and match.end() > start:
            yield match.end()


def _is_sure(sentence: str) -> bool:
    if _ALWAYS.fullmatch(sentence.rstrip(")")) or _ALWAYS.fullmatch(sentence):
        return True
    return _SURE.fullmatch(sentence) is not None and not _PROSE.search(sentence)


def _is_notice(sentence: str) -> bool:
    if _is_sure(sentence) or _NAME.fullmatch(sentence):
        return True
    return _AFTER.fullmatch(sentence) is not None
