"""What a model adds to a translation: speakers, answers, notes, fences, and talk about translating."""

from __future__ import annotations

import re
from functools import cache

_LABEL = (
    r"(?:^|[.!?。！？؟।])[ \t*_#>-]*(?:[^\s:：.!?。]{{1,15}} ){{0,2}}[\u3400-\u9fff]{{0,4}}"
    r"(?<![^\W_\u3400-\u9fff])(?:{})(?: [^\s:：.!?。]{{1,15}}){{0,2}}[ \t\u00a0\u202f*_]*[:：]"
)
_MENTION = r"(?<![^\W_\u3400-\u9fff])(?:{})(?![a-z])[^.!?。！？؟।\n]{{0,6}}[:：]"
"""What may become a label, since a sentence that ends in a colon is turned round: answer with these words."""
_LABELS = (
    "assistant|user|human|system|ai|bot|helper|助手|助理|用户|用戶|人类|系统|utilisateur|utilisatrice|humain|système"
    "|aide|asistente|usuario|usuaria|humano|sistema|ayudante|(?:ال)?مساعد|(?:ال)?مستخدم|(?:ال)?إنسان|(?:ال)?نظام"
    "|सहायक|असिस्टेंट|उपयोगकर्ता|उपयोक्ता|यूज़र|मानव|इंसान|सिस्टम|प्रणाली",
    "answers?|responses?|reply|solutions?|results?|réponses?|résultats?|respuestas?|soluci(?:ón|ones)|resultados?"
    "|答案|解答|结果|解决方案|(?:ال)?إجاب(?:ة|ات)|(?:ال)?جواب|(?:ال)?حل|(?:ال)?رد|(?:ال)?نتيجة"
    "|उत्तर|जवाब|हल|समाधान|परिणाम|नतीजा|प्रतिक्रिया",
    "translation|translated text|traduction|texte traduit|traducción|texto traducido|翻译|译文|翻譯|(?:ال)?ترجمة|अनुवाद",
    "notes?|explanation|remarks?|comments?|hint|remarques?|explication|commentaires?|indice|notas?|explicación"
    "|observación|comentarios?|pista|注|注意|备注|说明|解释|提示|评论|(?:ال)?ملاحظ(?:ة|ات)|(?:ال)?شرح|(?:ال)?تفسير|تلميح|توضيح"
    "|टिप्पणी|नोट|व्याख्या|स्पष्टीकरण|संकेत",
)
"""Who speaks, answers, translations and notes: what a model adds a part under. Each family has its words alike."""
_OF_TRANSLATING = re.compile(
    r"\bhere(?:'s| is| are)\b[^.\n]{0,40}\btranslat"
    r"|(?:can(?:'t|not| not)|won't|unable to|able to|refuse to)[^.\n]{0,20}\btranslat"
    r"|\bvoici\b[^.\n]{0,40}\btradu|(?:peux pas|saurais|impossible de|incapable de|refuse de)[^.\n]{0,20}\btradui"
    r"|\baquí\b[^.\n]{0,40}\btradu|(?:no puedo|no es posible|me niego a|incapaz de)[^.\n]{0,20}\btraduc"
    r"|(?:以下|下面|这|這)(?:就)?是[^。\n]{0,20}(?:翻译|譯|译)|(?:无法|不能|不会|没法|拒绝)[^。\n]{0,8}翻译"
    r"|(?:إليك|هذه|هذا|فيما يلي|هنا)[^.\n]{0,40}ترجم|(?:لا أستطيع|لا يمكنني|لن|أرفض|أعجز عن)[^.\n]{0,12}ترجم"
    r"|(?:यहाँ|यहां|यह|ये)[^।\n]{0,40}अनुवाद|अनुवाद (?:यह|इस प्रकार|निम्न|नीचे)|अनुवाद[^।\n]{0,12}(?:नहीं|असमर्थ)",
    re.IGNORECASE,
)
"""A translation announced or declined."""
_MACHINERY = re.compile(r"^[ \t]*(?:```|~~~)|\[/?INST\]|^[ \t]*#{2,4} ?(?:instruction|response)", re.I | re.MULTILINE)


def adds(source: str, translated: str) -> bool:
    """Whether `translated` has more fences, speakers, answers, notes or announcements than `source`."""
    if any(len(kind.findall(translated)) > len(kind.findall(source)) for kind in (_MACHINERY, _OF_TRANSLATING)):
        return True
    return any(
        len(_labels(_LABEL, words).findall(translated)) > len(_labels(_MENTION, words).findall(source))
        for words in _LABELS
    )


@cache
def _labels(pattern: str, words: str) -> re.Pattern[str]:
    return re.compile(pattern.format(words), re.IGNORECASE | re.MULTILINE)
