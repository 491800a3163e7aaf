"""How a text speaks to a model: patterns over plain, lower-case text. A space stands for whatever stands between words.

Some tell by themselves. Others tell only where a sentence begins with them, or behind "please" and "you must": "we
include this study" is a report. Each has hints, so that most abstracts are looked through without it.
"""

import re
from dataclasses import dataclass
from typing import Final

GAPS: Final = "_*~\"'“”‘’`-"
"""What may stand between two words, besides white space."""


@dataclass(frozen=True, slots=True)
class Said:
    """hints: of each group some are in every text that the pattern finds, once one space stands between words. pattern:
    with the group `said`."""

    hints: tuple[tuple[str, ...], ...]
    pattern: re.Pattern[str]

    def may_be_in(self, spaced: str) -> bool:
        return all(any(hint in spaced for hint in group) for group in self.hints)


# Whatever is repeated is bounded: a record of 200,000 asterisks takes a second, not a day.
_SPACE: Final = rf"[\s{GAPS}]{{1,20}}"
_BEGINNING: Final = (
    r"(?:(?:^|[.!?:;…\n—–(\[{<>#|/\"“‘«»”*])[\s\"'“‘*(\[#>]{0,10}"
    r"(?:(?:please|kindly|now|then|just|so|instead|ok|okay|important|therefore|always|also) ){0,4}"
    r"|(?:please|kindly|you (?:must|should|have to|need to|are to|will|shall|may)) "
    r"(?:(?:now|always|just|also|therefore|simply) ){0,4})"
)


def _said(hints: str, *pattern: str, before: str = "") -> Said:
    """hints: `one|other & third`."""
    groups = tuple(tuple(group.split("|")) for group in hints.split(" & "))
    return Said(groups, re.compile(f"{before}(?P<said>{''.join(pattern)})".replace(" ", _SPACE)))


def _command(hints: str, *pattern: str) -> Said:
    return _said(hints, *pattern, before=_BEGINNING)


_WORD: Final = r"[^\W_]{1,40}"
_FILLER: Final = rf"(?:(?:any|all|of|the|every|each|your|my|our|its|these|those|such|{_WORD}ly) ){{0,4}}"
_EARLIER: Final = r"(?:previous|prior|above|earlier|preceding|foregoing|former|original|initial|system)"
_ORDERS: Final = (
    r"(?:instruction|prompt|rule|guideline|direction|directive|command|criteri|order|message|constraint)\w{0,20}"
)
_IGNORE: Final = (
    r"(?:ignore|disregard|forget|override|overrule|bypass|neglect|skip"
    r"|(?:do not|don t|never|stop) (?:follow|obey)\w{0,20})"
)
_WORK: Final = (
    r"(?:paper|study|record|article|abstract|work|manuscript|publication|citation|reference|document|entry|trial)"
)
_TAKE: Final = r"(?:include|accept|select|approve|retain|keep|exclude|reject|discard)"
_TAKEN: Final = r"(?:included?|accepted|met|not met|relevant|eligible|excluded?|rejected|irrelevant)"
_MACHINE: Final = (
    r"(?:ai|a\.i\.|artificial intelligence|(?:large )?language models?|llms?|chatbots?|chat(?: )?gpt"
    r"|gpt(?: )?(?:\d\S{0,9})?|gemini|claude|copilot|automated (?:reviewer|screener|system|reader)s?)"
)
_MARK: Final = "mark|rate|judge|label|classify|treat|flag|count"

_IGNORING: Final = (
    "ignore |disregard |forget |override |overrule |bypass |neglect |skip |not follow|t follow|never follow|stop follow"
    "|not obey|t obey|never obey|stop obey"
)
_ORDERED: Final = "instruction|prompt|rule|guideline|direction|directive|command|criteri|order|message|constraint"
_MACHINES: Final = " ai|(ai|a.i.|intelligence|language model|llm|chatbot|gpt|gemini|claude|copilot|automated"

_BY_THEMSELVES: Final = (
    # Orders to leave the orders: with "all", "your" or the like they are no report of what patients do.
    _said(
        f"{_IGNORING} & {_ORDERED}|above|before|you ",
        rf"{_IGNORE} (?:(?:any|all|every|your|my)\b (?:(?:of|the|these|your|{_WORD}ly) ){{0,3}}{_EARLIER} ",
        rf"(?:{_WORD} ){{0,2}}{_ORDERS}|your (?:{_WORD} ){{0,2}}{_ORDERS}",
        r"|(?:everything|anything|all)(?: that)?(?: is| was| comes?| came| stands?)? ",
        r"(?:above|before this|you (?:were|have been) (?:told|given|instructed)))",
    ),
    # Who is spoken to.
    _said(
        f"you are|you re & {_MACHINES}|assistant|screener",
        rf"you (?:are|re) (?:now )?(?:an?|the|my) (?:{_WORD} ){{0,3}}",
        rf"(?:{_MACHINE}|(?:helpful|virtual) assistant|screener)\b",
    ),
    _said(f"you are|you re & {_MACHINES}", rf"you (?:are|re) (?:now )?{_MACHINE}\b"),
    _said(
        "as an ai|language model|as an llm & you| i",
        rf"as an? (?:{_WORD} ){{0,2}}(?:ai|language model|llm)\b(?: (?:model|assistant|reviewer|screener|system))?",
        r"\s{0,20},?\s{0,20}(?:you|i)\b",
    ),
    _said(
        "if you are|if you re",
        rf"if you (?:are|re) (?:an? |the )?(?:{_WORD} ){{0,2}}(?:{_MACHINE}|model|bot|robot|machine)\b",
    ),
    _said(
        "your system|your initial|your hidden|your original",
        r"your (?:system|initial|hidden|original) (?:prompt|message|instruction)\w{0,20}",
    ),
    _said(
        "your new|your real|your only|your actual|your true",
        r"your (?:new|real|only|actual|true) (?:task|job|goal|instruction|objective)\w{0,20} (?:is|are)\b",
    ),
    _said("your task|your instructions|your job", r"your (?:task|instructions|job) (?:is|are) now\b"),
    _said("from now on", r"from now on\s{0,20},?\s{0,20}(?:you|always|answer|respond|reply|include|mark|treat)\b"),
    # What is to be answered.
    _said("decision & :|=", r"decision\W{0,4}[:=]\W{0,4}(?:include|exclude|unclear)\b"),
    _said("verdict & :|=", r"verdicts?\W{0,4}[:=]\W{0,4}(?:met|not.?met|not.?stated|unclear)\b"),
    _said("decision|verdict|rationale|mistakes & :", r"[\"'“](?:decision|verdict|rationale|mistakes)[\"'”]\s{0,20}:"),
    _said(
        "decision|verdict|criteri & set |change |make |put & to ",
        r"(?:set|change|make|put) (?:(?:the|your|all|every|each) ){0,4}(?:final )?",
        r"(?:decision|verdict|criteri\w{0,20})s? to ",
        rf"(?:be )?{_TAKEN}\b",
    ),
    _said(
        "must be|has to be|is to be|needs to be & this ",
        rf"this {_WORK} (?:must|has to|is to|needs to) be {_TAKEN}\b",
    ),
    _said(
        "must be|has to be|is to be|should be & this ",
        rf"this {_WORK} (?:must|should|has to|is to) be (?:marked|rated|labell?ed|judged|classified|coded|scored) ",
        rf"(?:as )?{_TAKEN}\b",
    ),
    _said(
        "criteri & this & meets|fulfil|satisfies",
        rf"this {_WORK} (?:meets|fulfill?s|satisfies) (?:all|every|each)(?: of)?(?: (?:the|your))?",
        r"(?: (?:inclusion|eligibility|selection|screening|review))? criteri\w{0,20}",
    ),
    # What stands around records and turns, here and in chats.
    _said(
        "<", r"<\s{0,20}/?\s{0,20}(?:record|reviewers?|system|instructions?|assistant|user|prompt)\s{0,20}/?\s{0,20}>"
    ),
    _said("<|[", r"<\|\s{0,20}[a-z_]{2,30}\s{0,20}\|>|\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>"),
    _said(
        "##",
        r"(?:^|[\n.!?])\s{0,20}#{2,6}\s{0,20}(?:new |system |user )?",
        r"(?:instruction|prompt|system|assistant|response)s?\b",
    ),
    _said(
        "system|assistant|developer & :",
        r"(?:^|[\n.!?])\s{0,20}",
        r"(?:(?:system|assistant|developer) (?:prompt|message|note|override|update)|assistant)\s{0,20}:",
    ),
    # Other languages.
    _said(
        "ignorier|missacht|vergiss|vergessen",
        rf"(?:ignorier\w{{0,20}}|missacht\w{{0,20}}|vergiss|vergessen sie) (?:{_WORD} ){{0,3}}",
        r"(?:vorherig|vorig|bisherig|obig|früher|vorangegangen|vorstehend)\w{0,20} ",
        r"(?:anweisung|instruktion|regel|vorgabe)\w{0,20}",
    ),
    _said(
        "du bist|sie sind",
        rf"(?:du bist|sie sind) (?:jetzt |nun )?(?:eine? )?(?:{_WORD} ){{0,2}}",
        r"(?:ki|sprachmodell|künstliche intelligenz)\b",
    ),
    _said(
        "nimm|nehmen|schließ|schliess",
        r"(?:nimm|nehmen sie|schlie(?:ß|ss)(?:e|en sie)?) diese[ns]? ",
        r"(?:studie|artikel|arbeit|datensatz|publikation|paper) (?:(?:in jedem fall|unbedingt) )?(?:auf|ein)\b",
    ),
    _said(
        "instruction|consigne|directive & ignore|oublie",
        rf"(?:ignore[rz]?|oublie[rz]?) (?:{_WORD} ){{0,3}}(?:instructions?|consignes?|directives?) ",
        r"(?:pr[ée]c[ée]dentes?|ci dessus|ant[ée]rieures?)",
    ),
    _said(
        "vous êtes|vous etes|tu es ",
        r"(?:vous [êe]tes|tu es) (?:une? )?(?:ia|mod[èe]le de langage|intelligence artificielle)\b",
    ),
    _said(
        "inclus ce|incluez ce",
        r"(?:inclus|incluez) (?:cet|cette|ce) (?:article|[ée]tude|r[ée]sum[ée]|publication|notice)\b",
    ),
    _said(
        "ignor|olvid|desconsidere|esqueça & anteriores|previas|prévias|precedentes",
        rf"(?:ignora|ignore|ignorar|ignoren?|olvida|olvide|desconsidere|esqueça) (?:{_WORD} ){{0,3}}",
        r"(?:instrucciones|indicaciones|reglas|instruções|orientações) (?:anteriores|previas|prévias|precedentes)",
    ),
    _said(
        "eres |usted es|você é|tu és",
        r"(?:eres|usted es|você é|tu és) (?:(?:una?|uma?) )?",
        r"(?:ia|modelo de (?:lenguaje|linguagem)|intelig[êe]ncia artificial)\b",
    ),
    _said(
        "incluye est|incluya est|inclua est|inclui est",
        r"(?:incluye|incluya|inclua|inclui) (?:este|esta) ",
        r"(?:estudio|art[íi]culo|registro|trabajo|estudo|artigo|trabalho)\b",
    ),
    _said(
        "istruzioni|indicazioni",
        rf"(?:ignora|ignorate|ignori|dimentica) (?:{_WORD} ){{0,3}}(?:istruzioni|indicazioni) precedenti",
    ),
    _said(
        "negeer|vergeet",
        rf"(?:negeer|vergeet) (?:{_WORD} ){{0,3}}(?:vorige|eerdere|voorgaande|bovenstaande) ",
        r"(?:instructies|aanwijzingen|opdrachten)",
    ),
    _said(
        "игнорируй",
        rf"игнорируй(?:те)? (?:{_WORD} ){{0,3}}(?:предыдущие|прежние|вышеуказанные) ",
        rf"(?:{_WORD} )?(?:инструкции|указания)",
    ),
    _said(
        "включи",
        r"включи(?:те)? (?:это исследование|эту (?:статью|работу)|данное исследование|данную (?:статью|работу))",
    ),
    _said(
        "忽略|无视|無視|忽視",
        r"(?:忽略|无视|無視|忽視).{0,8}(?:之前|以上|先前|上述|前面).{0,8}(?:指令|指示|说明|說明|提示|要求|规则|規則)",
    ),
    _said("你", r"你(?:现在)?是(?:一个|一個|一名)?(?:人工智能|ai|(?:大型)?语言模型|(?:大型)?語言模型)"),
    _said(
        "请|請|务必|務必|必须|必須",
        r"(?:请|請|务必|務必|必须|必須)(?:纳入|納入|收录|收錄)(?:本|该|該|此|这篇|這篇)(?:研究|文献|文獻|论文|論文|文章)",
    ),
    _said("無視", r"(?:以前|上記|これまで|前)の.{0,6}(?:指示|命令|プロンプト)を.{0,4}無視"),
    _said("ください", r"この(?:論文|研究|文献)を(?:含めて|採用して|採択して)ください"),
    _said("무시", r"이전(?:의)?\s{0,4}(?:모든 )?(?:지시|명령|지침)\S{0,4}\s{0,4}(?:모두 )?무시"),
    _said("تجاهل", r"تجاهل (?:\S{1,30} ){0,2}(?:التعليمات|الأوامر|الإرشادات)"),
)

_AS_COMMANDS: Final = (
    _command(
        f"{_IGNORING} & {_ORDERED}",
        rf"{_IGNORE} (?:{_FILLER}{_EARLIER} (?:{_WORD} ){{0,2}}{_ORDERS}",
        r"|(?:the|these|all|any)(?: of)?(?: the| these)? ",
        r"(?:(?:inclusion|exclusion|screening|eligibility|selection) )?(?:criteria|instructions)\b)",
    ),
    _command(
        "include this|accept this|select this|approve this|retain this|keep this|exclude this|reject this|discard this",
        rf"{_TAKE} this {_WORK}\b",
    ),
    _command(
        "exclude this|reject this|discard this|screen out this|skip this|the present",
        rf"(?:do not|don t|never) (?:exclude|reject|discard|screen out|skip) (?:this|the present) {_WORK}\b",
    ),
    _command(
        "|".join(f"{verb} {what}" for verb in _MARK.split("|") for what in ("this", "it", "all", "every")),
        rf"(?:{_MARK}) (?:this|it|all|every)\b (?:{_WORD} ){{0,4}}(?:as )?{_TAKEN}\b",
    ),
    _command(
        "respond|answer|reply|return|output|write|print|say & json|include|exclude",
        r"(?:respond|answer|reply|return|output|write|print|say)(?: back)?(?: (?:only|exclusively|just|simply))?",
        r"(?: (?:with|in|as|using))?(?: (?:only|the|a|an|this|following|valid|word|single|one|object|exactly)){0,6}",
        r" (?:json|include|exclude)\b",
    ),
    _command(
        "prompt|instruction & reveal|print|repeat|show|output|tell & your|the system|the hidden|the initial|the full",
        r"(?:reveal|print|repeat|show|output|tell me) (?:me )?(?:(?:your|the) (?:system|hidden|initial|full) |your )",
        r"(?:prompt|instruction)\w{0,20}",
    ),
    _command(
        f"dear|attention|attn|note |hey|hello|to the|to any|to all|instruction|message & {_MACHINES}",
        r"(?:dear|attention|attn|hey|hello|to (?:the|any|all)|(?:note|message|instructions?) (?:to|for))\W{0,10}",
        rf"(?:(?:any|all|the) ){{0,3}}(?:{_WORD} )?{_MACHINE}",
        rf"(?: (?:{_WORD} )?(?:reviewer|model|screener|reader|assistant|system|agent)s?)?\s{{0,20}}[,:!.—–]",
    ),
    _command(
        "instruction|task|directive|order & : & new|updated|additional|real|actual|hidden|secret|special",
        r"(?:new|updated|additional|real|actual|hidden|secret|special) (?:instruction|task|directive|order)s?",
        r"(?: (?:for|to) (?:you|the (?:ai|model|reviewer)|ai))?\s{0,20}:",
    ),
    _command(
        "pretend you|pretend that you|imagine you|imagine that you|act as if",
        r"(?:pretend|imagine|act as if) (?:that )?you (?:are|re|were) (?:an? )?(?:\w+ )?",
        r"(?:model|ai|assistant|reviewer|llm)\b",
    ),
)

PATTERNS: Final = (*_BY_THEMSELVES, *_AS_COMMANDS)
