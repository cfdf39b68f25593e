"""The words that stand around what a task asks, in six languages, and which of them a run wants.

``--prompt_language`` names the language of these words; the dataset's own text stays what it is. ``native`` is the
language of the task's samples. A task whose words are not the usual ones says so in its protocol's name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from evalsuite.contracts import TaskOptions
from evalsuite.errors import UnknownName

NATIVE = "native"


@dataclass(frozen=True)
class Words:
    """One language's words. `delimiter` stands between `answer` or `steps` and what follows.

    `question` and `answer` are the cues of plain prompts, `steps` that of a worked answer. The templates `work_out`,
    `only_number`, `only_letter` and `translate` ask a chat model for a worked answer, a bare number, the letter of a
    choice, a translation; `languages` are the names of languages.
    """

    question: str
    answer: str
    delimiter: str
    steps: str
    work_out: str
    only_number: str
    only_letter: str
    translate: str
    languages: Mapping[str, str]


WORDS = {
    "en": Words(
        question="Question: ",
        answer="Answer:",
        delimiter=" ",
        steps="Step-by-step answer:",
        work_out="{text}\n\nWork it out briefly and end with the number.",
        only_number="{text}\n\nAnswer with the number only.",
        only_letter="{text}\n\nAnswer with the letter of the right choice only.",
        translate="Translate this text from {source} into {target}. Write the translation only.\n\n{text}",
        languages={
            "en": "English",
            "zh": "Chinese",
            "fr": "French",
            "ar": "Arabic",
            "es": "Spanish",
            "hi": "Hindi",
            "de": "German",
        },
    ),
    "zh": Words(
        question="问题：",
        answer="答案：",
        delimiter="",
        steps="逐步解答：",
        work_out="{text}\n\n请简要写出计算过程，最后写出数字答案。",
        only_number="{text}\n\n请只写出数字答案。",
        only_letter="{text}\n\n请只写出正确选项的字母。",
        translate="请把下面这段文字从{source}翻译成{target}。只写译文。\n\n{text}",
        languages={
            "en": "英语",
            "zh": "中文",
            "fr": "法语",
            "ar": "阿拉伯语",
            "es": "西班牙语",
            "hi": "印地语",
            "de": "德语",
        },
    ),
    "fr": Words(
        question="Question\u202f: ",
        answer="Réponse\u202f:",
        delimiter=" ",
        steps="Réponse étape par étape\u202f:",
        work_out="{text}\n\nPrésente brièvement le calcul et termine par le nombre.",
        only_number="{text}\n\nDonne uniquement le nombre.",
        only_letter="{text}\n\nRéponds uniquement par la lettre du bon choix.",
        translate="Traduis ce texte (langue de départ\u202f: {source}\u202f; langue d’arrivée\u202f: {target}). "
        "N’écris que la traduction.\n\n{text}",
        languages={
            "en": "anglais",
            "zh": "chinois",
            "fr": "français",
            "ar": "arabe",
            "es": "espagnol",
            "hi": "hindi",
            "de": "allemand",
        },
    ),
    "ar": Words(
        question="السؤال: ",
        answer="الإجابة:",
        delimiter=" ",
        steps="الإجابة خطوة بخطوة:",
        work_out="{text}\n\nاكتب خطوات الحل باختصار واختم إجابتك بالعدد.",
        only_number="{text}\n\nأجب بالعدد فقط.",
        only_letter="{text}\n\nأجب بحرف الخيار الصحيح فقط.",
        translate="ترجم هذا النص من {source} إلى {target}. اكتب الترجمة فقط.\n\n{text}",
        languages={
            "en": "الإنجليزية",
            "zh": "الصينية",
            "fr": "الفرنسية",
            "ar": "العربية",
            "es": "الإسبانية",
            "hi": "الهندية",
            "de": "الألمانية",
        },
    ),
    "es": Words(
        question="Pregunta: ",
        answer="Respuesta:",
        delimiter=" ",
        steps="Respuesta paso a paso:",
        work_out="{text}\n\nEscribe brevemente el cálculo y termina con el número.",
        only_number="{text}\n\nResponde solo con el número.",
        only_letter="{text}\n\nResponde solo con la letra de la opción correcta.",
        translate="Traduce este texto del {source} al {target}. Escribe solo la traducción.\n\n{text}",
        languages={
            "en": "inglés",
            "zh": "chino",
            "fr": "francés",
            "ar": "árabe",
            "es": "español",
            "hi": "hindi",
            "de": "alemán",
        },
    ),
    "hi": Words(
        question="प्रश्न: ",
        answer="उत्तर:",
        delimiter=" ",
        steps="चरण-दर-चरण उत्तर:",
        work_out="{text}\n\nसंक्षेप में हल करके दिखाइए और अंत में उत्तर की संख्या लिखिए।",
        only_number="{text}\n\nउत्तर में केवल संख्या लिखिए।",
        only_letter="{text}\n\nकेवल सही विकल्प का अक्षर लिखिए।",
        translate="इस पाठ का {source} से {target} में अनुवाद कीजिए। केवल अनुवाद लिखिए।\n\n{text}",
        languages={
            "en": "अंग्रेज़ी",
            "zh": "चीनी",
            "fr": "फ़्रेंच",
            "ar": "अरबी",
            "es": "स्पेनिश",
            "hi": "हिंदी",
            "de": "जर्मन",
        },
    ),
}


def plain_question(text: str, language: str) -> str:
    """``Question: <text>``, a line break and ``Answer:``, in the words of `language`."""
    words = WORDS[language]
    return f"{words.question}{text}\n{words.answer}"


def wanted_language(task: str, options: TaskOptions, *, native: str, usual: str = NATIVE) -> str:
    """The language of the words around a task's text: what `options` name, else `usual`.

    `native` is that of the task's samples; where there are no words in it (German), English ones stand in. Raises
    UnknownName for a language without words here.
    """
    wanted = options.prompt_language or usual
    if wanted == NATIVE:
        wanted = native if native in WORDS else "en"
    if wanted not in WORDS:
        known = (*WORDS, NATIVE)
        raise UnknownName("prompt language", wanted, known, f"{task} can be asked in: {', '.join(known)}.")
    return wanted


def protocol_in(protocol: str, language: str, usual: str) -> str:
    """The protocol's name, with the language of the words where it is not the usual one."""
    return protocol if language == usual else f"{protocol}+prompt-{language}"


def check_protocol(task: str, options: TaskOptions, known: Collection[str]) -> str:
    """The protocol that `options` name, by default the first of `known`. Raises UnknownName for another."""
    wanted = options.protocol or next(iter(known))
    if wanted not in known:
        raise UnknownName("protocol", wanted, known, f"{task} has: {', '.join(known)}.")
    return wanted
