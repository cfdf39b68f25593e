"""What differs between languages when answers are read: marks of numbers, letters of choices, cues and small words.

Data only. Words are patterns for `re`, to be matched whatever their case in texts with ASCII digits and with letters
and marks of normal width; every repetition in them is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_GROUP_MARKS = "\u00a0\u202f\u2009'’٬"
_GAP = r"[\s*_]{0,4}"
_HASHES = r"####(?![ \t]{0,4}[^\W\d_]{2})"
"""GSM8K's mark before an answer; before a word it is a heading."""
_THOUSAND, _LAKH, _MILLION, _CRORE = Decimal(10**3), Decimal(10**5), Decimal(10**6), Decimal(10**7)
_BILLION, _TRILLION = Decimal(10**9), Decimal(10**12)


@dataclass(frozen=True, eq=False)
class LanguagePack:
    """The habits of one language.

    `decimal` is the mark before decimals, and `group_marks` stand between thousands besides point and comma;
    `magnitudes` are words that multiply the number before them, and `ordinals` what makes it a place in an order.
    A `number_cue` comes before the number that an answer gives, and a `choice_cue` before its letter; it `is_cue_bare`
    where no verb belongs to it. `letters` has for
    each choice the ways to write its letter besides A, B, C; an `option_word` stands before a letter or a choice's
    number. What matches `deny_before` or `deny_after` says that a letter is not meant, `either` joins two of them, what
    follows `reason` says why and names letters freely, and a `name` makes the letter after it part of a name.
    """

    language: str
    magnitudes: Mapping[str, Decimal]
    number_cue: str
    choice_cue: str
    copula: str
    option_word: str
    either: str
    deny_before: str
    deny_after: str
    reason: str
    name: str
    ordinals: str = r"(?!)"
    letters: tuple[tuple[str, ...], ...] = ()
    decimal: str = "."
    group_marks: str = _GROUP_MARKS
    has_numerals: bool = False
    is_cue_bare: bool = False


ENGLISH = LanguagePack(
    language="en",
    magnitudes={
        **{"thousands?": _THOUSAND, "lakhs?": _LAKH, "lacs?": _LAKH, "millions?": _MILLION, "crores?": _CRORE},
        **{"billions?": _BILLION, "trillions?": _TRILLION},
    },
    number_cue=(
        rf"\banswers?(?: \w{{1,12}}){{0,3}}?{_GAP}(?:\b(?:is|are|was|would be|should be|must be|will be|equals)\b|[:=])"
        rf"|{_HASHES}"
    ),
    choice_cue=(
        r"\banswer\b(?=[^.\n]{0,40}(?:\b(?:is|was|be)\b|[:=]))"
        rf"|\b(?:correct|right|best) (?:option|choice|letter|one) is\b|{_HASHES}"
        r"|\bi(?:'d| would| will|'ll)? (?:choose|pick|select|go with)\b"
    ),
    copula=r"is|are|was|be|would|should|must|will|to|the|letter|therefore|thus|hence|so|option|choice|clearly|definitely",
    option_word=r"\b(?:options?|choices?|answer choice|letter)\b",
    either=r"or|and|nor|&|/|,|and/or",
    deny_before=(
        r"\b(?:not|cannot be|can't be|isn't|is n't|never|neither|nor|rather than|instead of|unlike|except|excluding)\b"
    ),
    deny_after=r"(?:is|are|was|would be|can be)(?:n't| not| wrong| incorrect| false)|isn't|(?:can't|cannot) be|is not",
    reason=r"\b(?:because|since|as|while|whereas|although|though|where|which|given that|due to)\b",
    name=r"\b(?:vitamins?|hepatitis|type|group|grade|class|plan|point|section|programming language|language)",
    ordinals=r"(?:st|nd|rd|th)\b",
)

CHINESE = LanguagePack(
    language="zh",
    magnitudes={
        **{"[百佰](?!分)": Decimal(100), "[千仟](?![米克瓦卡帕赫焦伏])": _THOUSAND, "[万萬]": Decimal(10**4)},
        "[亿億]": Decimal(10**8),
    },
    number_cue=(
        rf"答案{_GAP}(?:应该|应当|应|就|也|即|便|最终|其实){{0,2}}{_GAP}(?:不?是|为|為|等于|等於|[:=])"
        rf"|(?:所以|因此|最终|最后|故)的?{_GAP}答案|(?<![解回])答{_GAP}:"
    ),
    choice_cue=r"答案|(?<![解回])答:|(?:应该?|故|我|所以|因此|必须|正确的?)选择?(?!项)|选择?(?=[\s*_(\[【\"'「]{0,4}[A-J甲乙丙丁])|正确的?选项(?:应该)?[是为:]",
    copula=r"应该|应当|应|就|也|即|最终|不?是|为|為|选择|选项|选|项",
    option_word=r"选项|选择",
    either=r"或者?|和|与|及|以及|还是|、|,|/",
    deny_before=r"不是|并非|并不是|不选|不应选|不为|而非|不能选|排除|除了|不会是",
    deny_after=r"(?:项|选项)?(?:是|都|也|均)?(?:错|不对|不正确|不是|不符合)",
    reason=r"因为|由于|理由|原因|而其[他它]",
    name=r"维生素|维他命|型|班|组|类|计划",
    letters=(("甲",), ("乙",), ("丙",), ("丁",)),
    has_numerals=True,
)

FRENCH = LanguagePack(
    language="fr",
    magnitudes={"mille": _THOUSAND, "millions?": _MILLION, "milliards?": _BILLION},
    number_cue=rf"\br[ée]ponses?(?: \w{{1,12}}){{0,3}}?{_GAP}(?:\b(?:est|sera|serait|vaut|était|doit être)\b|[:=])",
    choice_cue=(
        r"\br[ée]ponse\b|\b(?:bonne|meilleure) (?:option|proposition) est\b|\bje (?:choisis|sélectionne)\b"
        r"|\bl'option correcte est\b|\ble (?:bon|meilleur) choix est\b"
    ),
    copula=r"est|sera|serait|la|le|l'|lettre|option|choix|réponse|proposition|correcte|donc|bien|finale|bonne|juste",
    option_word=r"\b(?:options?|choix|proposition|lettre)\b",
    either=r"ou|et|ni|&|/|,",
    deny_before=r"\b(?:pas|ni|non|plutôt que|au lieu de|sauf|jamais)\b",
    deny_after=r"(?:n'est|ne (?:peut|convient|sont)|n'était)\b|(?:est|sont) (?:fausse?|incorrecte?|erronée?)",
    reason=r"\b(?:car|parce qu|puisqu|comme|alors qu|tandis qu|étant donné)",
    name=r"\b(?:vitamines?|hépatite|type|groupe|classe|plan|point|section)",
    ordinals=r"(?:ers?|[èe]?res?|[èe]mes?|i[èe]mes?|e|nde?)\b",
    decimal=",",
    group_marks=_GROUP_MARKS + " ",
)

ARABIC = LanguagePack(
    language="ar",
    magnitudes={
        **{"[أا]لف[اًاً]{0,2}": _THOUSAND, "[آا]لاف": _THOUSAND, "[أا]لفي?ن": 2 * _THOUSAND},
        **{"مليون[اًاً]{0,2}": _MILLION, "ملايين": _MILLION, "مليار[اًاً]{0,2}": _BILLION, "مليارات": _BILLION},
        **{"بليون[اًاً]{0,2}": _BILLION, "تريليون[اًاً]{0,2}": _TRILLION},
    },
    number_cue=r"(?:ال|\b)[إا]جاب(?:ة|ه|تي)(?![\u0621-\u064a])|الجواب(?![\u0621-\u064a])|\bجواب(?:ي|ه)?(?![\u0621-\u064a])",
    choice_cue=(
        r"(?:ال|\b)[إا]جاب(?:ة|ه|تي)(?![\u0621-\u064a])|الجواب(?![\u0621-\u064a])|\bجواب(?:ي|ه)?(?![\u0621-\u064a])"
        r"|[أا]ختار(?![\u0621-\u064a])|(?:الخيار|الاختيار) (?:الصحيح|الأصح|الأفضل)"
    ),
    copula=r"هي|هو|الإجابة|الجواب|ستكون|تكون|الصحيحة|الصحيح|النهائية|الحرف|الخيار|الاختيار|إذن|إذا",
    option_word=r"(?:الخيار|خيار|الاختيار|البديل|الحرف)",
    either=r"أو|او|و|،|,|/",
    deny_before=r"(?:ليست?|ليسا|غير|لا|وليست?|بدلا من|ما عدا|عدا|باستثناء)",
    deny_after=r"(?:(?:هي|هو) )?(?:خطأ|خاطئة|خاطئ|ليست?|غير صحيحة?)",
    reason=r"لأن|حيث|بينما|بسبب|نظرا",
    name=r"فيتامين|النوع|نوع|المجموعة|الفئة|التهاب الكبد",
    letters=(("أ", "ا"), ("ب",), ("ج",), ("د",), ("هـ",)),
    is_cue_bare=True,
)

SPANISH = LanguagePack(
    language="es",
    magnitudes={
        **{"mil": _THOUSAND, "millón": _MILLION, "millon(?:es)?": _MILLION},
        **{"billón": _TRILLION, "billon(?:es)?": _TRILLION},
    },
    number_cue=rf"\brespuestas?(?: \w{{1,12}}){{0,4}}?{_GAP}(?:\b(?:es|son|será|sería|era|debe ser)\b|[:=])",
    choice_cue=(
        r"\brespuesta\b|\b(?:opción|alternativa) (?:correcta|acertada) es\b|\b(?:mejor|correcta) opción es\b"
        r"|\b(?:elijo|escojo|selecciono)\b"
    ),
    copula=r"es|será|sería|la|el|letra|opción|opcion|alternativa|correcta|respuesta|por tanto|entonces|final",
    option_word=r"\b(?:opci[óo]n(?:es)?|alternativa|letra|inciso)\b",
    either=r"o|u|y|e|ni|&|/|,",
    deny_before=r"\b(?:no|ni|nunca|en lugar de|en vez de|excepto|salvo)\b",
    deny_after=r"(?:no (?:es|son|puede)\b|es (?:incorrecta|falsa|errónea|incorrecto|falso))",
    reason=r"\b(?:porque|ya que|pues|puesto que|mientras|dado que|debido a|como)\b",
    name=r"\b(?:vitaminas?|hepatitis|tipo|grupo|clase|plan|punto|sección)",
    ordinals=r"\.?[ºª]|(?:er|ro|do|to|mo|vo|no|ra|da|ta|ma|va|na)\b",
    decimal=",",
    group_marks=_GROUP_MARKS + " ",
)

HINDI = LanguagePack(
    language="hi",
    magnitudes={
        **{"ह(?:ज\u093c?|\u095b)ार(?:ों)?": _THOUSAND, "लाख(?:ों)?": _LAKH, "कर(?:ो?ड\u093c?|ो?\u095c)(?:ों)?": _CRORE},
        **{"अरब(?:ों)?": _BILLION, "मिलियन": _MILLION, "बिलियन": _BILLION},
        **ENGLISH.magnitudes,
    },
    number_cue=r"(?<![\u0900-\u0963])(?:उत्तर|जवाब)(?![\u0900-\u0963])",
    choice_cue=(r"(?<![\u0900-\u0963])(?:उत्तर|जवाब)(?![\u0900-\u0963])|सही विकल्प(?![\u0900-\u0963])|मैं चुनता|मेरा चुनाव"),
    copula=r"है|हैं|विकल्प|सही|होगा|का|अक्षर",
    option_word=r"(?:विकल्प|ऑप्शन)",
    either=r"या|और|एवं|तथा|अथवा|,|/",
    deny_before=r"(?:न कि|न तो|ना कि|गैर)",
    deny_after=r"(?:(?:विकल्प|उत्तर|जवाब|सही|भी) ?){0,2}(?:नहीं|ग\u093c?लत|\u095aलत)",
    reason=r"क्योंकि|चूँकि|चूंकि|जबकि|इसलिए कि|कारण",
    name=r"(?:विटामिन|हेपेटाइटिस|टाइप|वर्ग|समूह|श्रेणी)",
    ordinals=r"(?:वाँ|वां|वीं|वें)(?![\u0900-\u0963])",
    letters=(("क",), ("ख",), ("ग",), ("घ",), ("ङ",)),
    is_cue_bare=True,
)

_PACKS = {pack.language: pack for pack in (ENGLISH, CHINESE, FRENCH, ARABIC, SPANISH, HINDI)}


def pack(language: str) -> LanguagePack:
    """The pack of `language` (BCP-47, the primary subtag counts); English's for a language that has none."""
    return _PACKS.get(language.partition("-")[0].lower(), ENGLISH)
