"""Whether an answer declines what was asked, told by how it opens, in six languages.

The word lists are ours. An answer refuses when it is short and begins, after greetings, apologies, sympathy and words
about being a machine, with saying that its writer cannot or will not help, answer, provide or write what was asked. A
long answer that opens so goes on to do something else, and a refusal that is quoted or told about opens otherwise.
What nobody can tell from the text alone is taken for a refusal: the translation of one, or a message that declines
something in its sender's name.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

MAX_LETTERS = 1000
"""Answers longer than this are none; a Han character counts as three letters."""
_OPENING_CHARS = 400

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_LEADING = re.compile(r"[\s*_#>~¡¿\-–—]*")
_BETWEEN = r"[\s,.:;!…*_،؛。、।\-–—]*"
_DROPPED = re.compile("[\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u0640\u093c\u200b-\u200f\u202a-\u202e\ufe0f]")
_ALIKE = str.maketrans({"’": "'", "‘": "'", "`": "'", "ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "ँ": "ं"})


def is_refusal(text: str) -> bool:
    """Whether `text`, without any thinking before it, declines; in whichever of the six languages it is written."""
    if len(text) + 2 * len(_HAN.findall(text)) > MAX_LETTERS:
        return False
    opening = _fold(text.lstrip()[:_OPENING_CHARS])
    start = _LEADING.match(opening)
    place = start.end() if start else 0
    return any(_pattern(language).match(opening, place) for language in _WORDINGS)


def _fold(text: str) -> str:
    """`text` without case, accents, vowel points, nuktas and invisible marks, and with one sort of apostrophe."""
    plain = unicodedata.normalize("NFKC", _DROPPED.sub("", unicodedata.normalize("NFKD", text)))
    return plain.translate(_ALIKE).casefold()


@cache
def _pattern(language: str) -> re.Pattern[str]:
    """What a refusal in `language` begins with. Each lead-in is taken as it first fits, which bounds the search."""
    lead_ins, refusals = (_fold("|".join(phrases)) for phrases in _WORDINGS[language])
    return re.compile(rf"(?:(?>{lead_ins})(?![^\W\u3400-\u9fff]){_BETWEEN}){{0,5}}(?:{refusals})")


# Patterns are folded like the texts, so they hold no upper-case classes. `[^.!?\n]` stays within a sentence.

_ENGLISH_CANNOT = (
    r"i(?: really| simply| just)? (?:can'?t|cannot|can not|could not|couldn't|won'?t|will not|won't be able to|"
    r"will not be able to|refuse to|decline to|must decline to|have to decline to|don't have the ability to|"
    r"do not have the ability to|don't have permission to)"
    r"|i(?: am|'m)(?: currently)? (?:unable|not able|not going|not allowed|not permitted|not programmed"
    r"|not designed) to"
)
_ENGLISH_ACTS = (
    r"(?:help(?! but\b| it\b| myself\b| \w+ing\b)|assist|aid you|provide(?! for\b)|comply|fulfill?|answer|respond"
    r"|comment on|discuss|condone|encourage|promote|endorse|proceed|satisfy your|accommodate|grant your|do (?:that"
    r"|this|so)\b"
    r"|give (?:you|out|any|advice|instructions|medical|legal|financial|specific)"
    r"|offer (?:you|any|advice|instructions|guidance|medical|legal|financial|specific|an opinion|opinions)"
    r"|(?:write|create|generate|produce) (?:that|this|such|an?\b|any|content|code|images?|text|explicit|sexual|harmful"
    r"|hateful|malicious|violent|fake|material)"
    r"|share (?:that|this|such|any|your|personal|private|copyrighted|information|details|instructions)"
    r"|(?:support|perform|process|complete|continue|carry out) (?:that|this|such|any|your request|with (?:this|that))"
    r"|(?:engage|participate|take part) in (?:that|this|such|any|conversations?|discussions?|role-?play|activities"
    r"|harmful|illegal"
    r"|explicit)"
    r"|access (?:external|the internet|real-?time|links|websites|web pages|files|your|personal|current|live|any)"
    r"|browse|diagnose|predict|disclose|reveal)"
)
_ENGLISH = (
    (
        r"(?:i'?m|i am)(?: very| so| really| truly| deeply)? sorry(?: to say)?(?: that)?",
        r"sorry(?: about that)?",
        r"(?:my |my sincere )?apologies",
        r"i (?:sincerely )?apologi[sz]e(?: for [^.!?\n,]{0,60})?",
        r"i regret(?: to (?:say|inform you))?(?: that)?",
        r"unfortunately|regrettably|i'?m afraid(?: that)?|i am afraid(?: that)?",
        r"no(?=[,.!])|hello|hi(?: there)?|but|however|and|so|therefore|that said",
        r"thank(?: you|s) for [^.!?\n]{0,80}?(?=[,.!]| but\b)",
        r"i (?:understand|appreciate|realize|realise|recognize|know|see|hear) [^.!?\n]{0,160}?(?:\bbut\b|[.!])",
        r"as an? (?:ai|artificial|language|large|responsible|assistant|chatbot|virtual)[^,.!?\n]{0,80},",
        r"(?:i'?m|i am)(?: just| only| merely)? an? (?:ai|artificial|language|large|virtual)[^.!?\n]{0,100}?"
        r"(?:\b(?:and|so|but)\b|[.!])",
        r"(?:due to|because of|for) (?:safety|legal|ethical|privacy|security|copyright)[^.,!?\n]{0,40},",
    ),
    (
        rf"(?:{_ENGLISH_CANNOT})(?:,? (?:and won't|in good conscience|ethically|legally|directly|knowingly|really"
        rf"|actually))*"
        rf",? {_ENGLISH_ACTS}(?! an? (?:definit|exact|precise|complete))",
        r"i (?:must|have to|need to|will have to|'?ll have to)(?: respectfully| politely)? (?:decline|refuse)",
        r"i(?: respectfully| politely)? (?:decline|refuse) (?:to (?:help|answer|assist|provide|write|do)"
        r"|your request|this request)",
        r"(?:i'?m|i am) not comfortable (?:with|discussing|providing|writing|helping|answering|sharing|creating)",
        r"i (?:don't|do not) feel comfortable",
        r"i(?:'d| would) (?:rather|prefer) not (?:to )?(?:help|discuss|answer|say|share|comment|write|engage)",
        r"(?:this|that|your) (?:request|question|prompt)[^.!?\n]{0,20} (?:violates|goes against|is against)",
        r"(?:that|this)(?:'s| is) not something (?:that )?i (?:can|am able|will)\b",
        r"(?:that|this)(?:'s| is) something (?:that )?i (?:can't|cannot|won't|will not)\b",
        r"it(?:'s| is| would be) (?:against my|not within my|outside my|beyond my"
        r"|(?:inappropriate|unethical|not appropriate|not ethical|not possible|impossible) for me to)",
        r"my (?:[a-z]+ )?(?:guidelines|programming|policies|principles|rules)[^.!?\n]{0,30} (?:prevent|prohibit|forbid"
        r"|don't allow|do not allow)",
    ),
)

_CHINESE_CANNOT = r"(?:无法|無法|不能|不可以|没有办法|没办法|不便|没有能力|不具备|不被允许|无权)"
_CHINESE_ACTS = (
    r"(?:帮助(?:您|你)|幫助(?:您|你)|提供|协助|協助|回答|答复|回应|满足|滿足|生成|讨论|评论|撰写|创作|编写|解答|给出|给予|帮到|帮(?:您|你)|配合|遵从"
    r"|满意|鼓励|宣扬|透露|访问|预测|诊断|做到|这样做|这么做|执行(?:您|你|此|该|这)|处理(?:您|你|此|该|这)|完成(?:您|你|此|该|这个请求|这个任务)"
    r"|(?:支持|参与|继续|进行)(?:此|该|这|任何|讨论|评价|对话)|分享(?:此|该|这|任何|他人|个人)|获取(?:实时|最新|外部|您|你)"
    r"|教(?:您|你)|告诉(?:您|你)(?:如何|怎么|怎样)|发表(?:评论|看法|意见|观点))"
)
_CHINESE = (
    (
        r"我?(?:非常|十分|很|真的|实在|深感|感到|深表)*(?:抱歉|对不起|對不起|不好意思|歉意|遗憾)",
        r"请(?:您|你)?(?:原谅|谅解|理解)",
        r"作为[^,。!?\n]{0,40}?(?=[,我])",
        r"我只?是(?:一个|一款|一名)?[^,。!?\n]{0,30}?(?:人工智能|ai|模型|助手|机器人)[^,。!?\n]{0,20}?(?=[,。])",
        r"我(?:理解|明白|知道|了解)[^。!?\n]{0,60}?(?:但是?|然而|不过|。)",
        r"感谢[^。!?\n]{0,40}?[,。!]",
        r"(?:由于|出于|根据|基于)[^。!?\n]{0,40}?,",
        r"您好|你好|但是?|不过|然而|因此|所以|可惜|恐怕|不(?=,)",
    ),
    (
        rf"恕?(?:我们?|本助手)?(?:恐怕|实在|真的|目前|现在|也|确实|暂时)*{_CHINESE_CANNOT}(?!确切|准确|精确|完全"
        rf"|全面)[^,。!?\n]{{0,16}}?{_CHINESE_ACTS}",
        rf"我(?:是|也)?(?:不会|不愿意?|不想)[^,。!?\n]{{0,16}}?{_CHINESE_ACTS}",
        r"我?(?:必须|不得不|只能|选择|将|会)?(?:拒绝|婉拒)(?:这|该|此|您|你|回答|提供|参与|执行|协助|回应)",
        r"(?:这个|该|此|您的|你的|这种|这样的)(?:请求|要求|问题|内容|话题)[^。!?\n]{0,12}(?:违反|违背|超出了?我)",
        r"这(?:违反|违背)",
        r"这不是我(?:能|可以|应该)",
    ),
)

_FRENCH_ACTS = (
    r"(?:(?:vous |t'|te |l'|y )?(?:aider|assister|repondre|fournir|proposer|expliquer|conseiller|accompagner)"
    r"|(?:vous |te )?donner(?! tort| raison)|acceder|satisfaire|donner suite|creer|generer|produire|rediger|ecrire"
    r"|participer|discuter"
    r"|partager|traiter|realiser|effectuer|executer|encourager|promouvoir|soutenir|divulguer|communiquer"
    r"|me prononcer|diagnostiquer"
    r"|continuer (?:cette|ce|dans)|commenter|consulter|exprimer d|faire (?:cela|ca|ce que)|le faire)"
)
_FRENCH = (
    (
        r"je suis(?: vraiment| sincerement| tellement)? (?:desolee?|navree?)",
        r"desolee?|toutes mes excuses|mes excuses|excusez-moi|excuse-moi|pardon|je regrette",
        r"je (?:m'excuse|vous prie de m'excuser|te prie de m'excuser)(?: pour [^.!?\n,]{0,60})?",
        r"malheureusement|helas|non(?=[,.!])|bonjour|salut|mais|cependant|toutefois|donc",
        r"merci (?:pour|de) [^.!?\n]{0,80}?(?=[,.!]| mais\b)",
        r"je comprends [^.!?\n]{0,160}?(?:\bmais\b|[.!])",
        r"en tant qu(?:e |')[^,.!?\n]{0,80},",
        r"je (?:ne )?suis (?:qu'|juste )?(?:une?) (?:ia|intelligence|modele|assistante?)[^.!?\n]{0,80}?(?:\b(?:et"
        r"|donc|mais)\b|[.!])",
        r"pour des raisons [^,.!?\n]{0,60},",
    ),
    (
        r"je (?:ne )?(?:peux|puis|pourrai|saurais|vais)(?: malheureusement| helas| absolument)? pas(?: non plus)? "
        + _FRENCH_ACTS,
        r"je (?:ne )?(?:peux|puis) ni " + _FRENCH_ACTS,
        r"je ne suis(?: malheureusement)? pas (?:en mesure|capable|autorisee?|habilitee?|programmee?|concue?)"
        r" (?:de |d'|a |pour )" + _FRENCH_ACTS,
        r"je suis (?:dans l'incapacite|incapable) (?:de |d')" + _FRENCH_ACTS,
        r"il m'est impossible (?:de |d')" + _FRENCH_ACTS,
        r"il ne m'est pas possible (?:de |d')" + _FRENCH_ACTS,
        r"je n'ai pas (?:la capacite|la possibilite|le droit) (?:de |d')" + _FRENCH_ACTS,
        r"je (?:dois|prefere) (?:refuser|decliner)|je (?:refuse|decline) (?:de |d'|cette|votre|ta)",
        r"je (?:ne souhaite pas|prefere ne pas) " + _FRENCH_ACTS,
        r"(?:cette|votre|ta) (?:demande|question|requete)[^.!?\n]{0,20} (?:enfreint|viole|va a l'encontre"
        r"|est contraire)",
        r"(?:cela|c'est) (?:va a l'encontre de|contraire a) mes",
        r"mes (?:directives|principes|regles)[^.!?\n]{0,30} (?:m'interdisent|m'empechent|ne me permettent pas)",
    ),
)

_SPANISH_ACTS = (
    r"(?:(?:ayudar|asistir|proporcionar|brindar|ofrecer|facilitar|responder|contestar|recomendar|complacer"
    r"|compartir)(?:te|le|les|lo|la)?\b"
    r"|dar(?:te|le|les)\b|dar (?:instrucciones|consejos?|informacion|detalles|es[ae]|est[ae])|cumplir|generar|crear"
    r"|redactar"
    r"|escribir (?:es[aeo]|est[aeo]|un|una|contenido|codigo|sobre)|producir|participar|discutir|hacer (?:eso|esto"
    r"|lo que me)|hacerlo|apoyar|promover"
    r"|fomentar|explicar(?:te|le)? como|atender|satisfacer|acceder|realizar|continuar con|comentar|emitir|opinar"
    r"|procesar"
    r"|ejecutar|diagnosticar|predecir|revelar)"
)
_SPANISH = (
    (
        r"lo siento(?: mucho| muchisimo)?|lo lamento(?: mucho)?|lamento (?:decirte|decirle|informarte"
        r"|informarle)(?: que)?",
        r"lamentablemente|desafortunadamente|desgraciadamente|por desgracia|me temo que",
        r"(?:te |le )?pido disculpas|mis disculpas|disculpas?|disculpe|perdona|perdone|perdon",
        r"no(?=[,.!])|hola|pero|sin embargo|y|asi que|por lo que|por lo tanto",
        r"gracias por [^.!?\n]{0,80}?(?=[,.!]| pero\b)",
        r"(?:entiendo|comprendo) [^.!?\n]{0,160}?(?:\bpero\b|[.!])",
        r"como (?:un |una )?(?:ia|inteligencia|modelo|asistente)[^,.!?\n]{0,80},",
        r"(?:solo )?soy(?: solo)? (?:un|una) (?:ia|modelo|asistente|inteligencia)[^.!?\n]{0,100}?(?:\b(?:y|pero)\b"
        r"|[.!])",
        r"por (?:razones|motivos) [^,.!?\n]{0,60},",
    ),
    (
        r"no (?:te |le )?(?:puedo|podre|podria|voy a|debo|soy capaz de|me es posible|tengo permitido"
        r"|tengo la capacidad de"
        r"|estoy (?:en condiciones de|capacitad[oa] para|autorizad[oa] (?:a|para)|programad[oa] para|dispuest[oa] a)) "
        + _SPANISH_ACTS,
        r"me niego a|(?:debo|tengo que) (?:negarme|declinar|rechazar)|rechazo (?:esta|tu|su)",
        r"prefiero no " + _SPANISH_ACTS,
        r"no me siento comod[oa]",
        r"(?:esta|esa|tu|su) (?:solicitud|peticion|pregunta)[^.!?\n]{0,20} (?:viola|infringe|va en contra)",
        r"(?:eso|esto) (?:no es algo (?:que|con lo que|en lo que) pueda|va en contra de mis)",
        r"mis (?:directrices|normas|politicas|principios)[^.!?\n]{0,30} (?:no (?:me )?(?:lo )?permiten"
        r"|me (?:lo )?(?:impiden|prohiben))",
    ),
)

_ARABIC_ACTS = (
    r"(?:مساعد|المساعد|تقديم|توفير|إعطا|تزويد|الإجاب|إجاب|الرد|تلبي|تنفيذ|كتاب|إنشاء|توليد|إنتاج|المشارك|مشارك|مناقش"
    r"|القيام|فعل (?:ذلك|هذا)"
    r"|الاستجاب|الامتثال|دعم|تشجيع|شرح|الوصول|متابع|الخوض|إبداء|أساعد|أقدم|أجيب|أوفر|أكتب|أنفذ|أشارك|أزود|ألبي"
    r"|أفعل (?:ذلك|هذا)|أعطي|أناقش"
    r"|الإفصاح|التعليق|التنبؤ|تشخيص|إكمال|تحقيق)"
)
_ARABIC = (
    (
        r"أنا(?: مجرد| فقط)? (?:نموذج|مساعد|ذكاء|برنامج)[^.!؟?\n]{0,100}?[،,.!]",
        r"(?:أنا )?(?:آسفة?|متأسفة?)(?: جدا| حقا| للغاية)?",
        r"عذرا|المعذرة|معذرة|عفوا|أرجو المعذرة|أعتذر(?: منك| لك| بشدة| جدا)?",
        r"للأسف(?: الشديد)?|مع الأسف|لسوء الحظ",
        r"يؤسفني(?: أن(?= )(?: أخبرك| أبلغك)?)?",
        r"و?لكن(?:ني|ي)?|فإنني|فأنا|أنا|إنني|إني|بأنني|بأني|أنني|لا(?=[،,.])|مرحبا(?: بك)?|أهلا(?: بك)?|السلام عليكم",
        r"شكرا [^.!؟?\n]{0,80}?[،,.!]",
        r"(?:أفهم|أتفهم|أدرك|أعلم) [^.!؟?\n]{0,140}?(?:لكن(?:ني|ي)?|[.!])",
        r"(?:كنموذج|بصفتي|باعتباري|كوني|كمساعد|بوصفي)[^،,.!؟?\n]{0,80}[،,]",
        r"(?:لأسباب|نظرا ل)[^،,.!؟?\n]{0,60}[،,]",
    ),
    (
        r"(?:و?(?:لا (?:أستطيع|يمكنني|أقدر|يسعني|أتمكن من|يسمح لي|يجوز لي|يمكن لي|أرغب في)|لن (?:أستطيع|أتمكن من"
        r"|أقدر على|يمكنني)"
        r"|لست (?:قادرا|قادرة|مخولا|مخولة|مستعدا|مستعدة|مبرمجا|مبرمجة)|غير قادرة?|ليس (?:بإمكاني|بوسعي|باستطاعتي"
        r"|لدي القدرة)|يتعذر علي)"
        rf"[^.!؟?\n،,]{{0,20}}? (?:ب|ل)?{_ARABIC_ACTS})",
        r"لن (?:أساعد|أقدم|أقوم ب|أجيب|أشارك|أكتب|أنفذ|أوفر|أعطي|أزود)",
        r"(?:أرفض|أعتذر عن|علي أن أرفض|يجب أن أرفض|لا بد أن أرفض|أفضل عدم) (?:عدم|هذا|طلبك|أن|" + _ARABIC_ACTS + ")",
        r"(?:هذا|طلبك|هذا الطلب|سؤالك)[^.!؟?\n]{0,20} (?:يتعارض مع|ينتهك|يخالف|مخالف)",
    ),
)

_HINDI_ACTS = (
    r"(?:मदद|सहायता|सहयोग|जानकारी|उत्तर|जवाब|सलाह|निर्देश|अनुरोध|सामग्री|विवरण|चर्चा|टिप्पणी|राय|कविता|लेख|कोड"
    r"|भविष्यवाणी|निदान|प्रदान|तरीका|तरीके"
    r"|ऐसा|ऐसी|यह|इस (?:तरह|प्रकार) (?:का|के|की) \w+)"
)
_HINDI = (
    (
        r"(?:मुझे )?(?:बहुत )?(?:खेद|अफ़सोस|दुख) है(?: कि)?",
        r"(?:मैं )?(?:आपसे )?(?:क्षमा|माफ़ी) (?:चाहता|चाहती|मांगता|मांगती) हूँ(?: कि)?",
        r"(?:मुझे )?(?:क्षमा|माफ़) (?:करें|कीजिए|कीजिएगा|करना)",
        r"दुर्भाग्य से|दुर्भाग्यवश|अफ़सोस|सॉरी|जी नहीं|नहीं(?=[,।])|नमस्ते|नमस्कार|लेकिन|किंतु|परंतु|पर|मगर|हालांकि"
        r"|इसलिए|कि|और",
        r"(?:एक )?(?:एआई|ai|कृत्रिम बुद्धिमत्ता|भाषा मॉडल)[^,।.!?\n]{0,60}?(?:के रूप में|होने के नाते|के नाते)",
        r"मैं (?:केवल |सिर्फ़ |बस )?(?:एक )?(?:एआई|ai|भाषा मॉडल|कृत्रिम बुद्धिमत्ता)[^।.!?\n]{0,60}?हूँ",
        r"मैं (?:समझता|समझती|समझ सकता|समझ सकती|जानता|जानती) हूँ[^।.!?\n]{0,120}?(?:लेकिन|किंतु|परंतु|[।.])",
        r"धन्यवाद|आपके (?:प्रश्न|सवाल|संदेश) के लिए धन्यवाद|सुरक्षा कारणों से|नैतिक कारणों से|कानूनी कारणों से",
    ),
    (
        rf"(?:मैं|मेरे लिए|मुझे|मुझसे|हम)\s[^।.!?\n]{{0,90}}?{_HINDI_ACTS}[^।.!?\n]{{0,50}}?"
        r"(?:नहीं (?:कर|दे|बता|लिख|बना|करा|सुना|हो)? ?(?:सकता|सकती|सकते|पाऊँगा|पाऊँगी|पाएँगे|करूँगा|करूँगी|दूँगा"
        r"|दूँगी|बताऊँगा|बताऊँगी|लिखूँगा|लिखूँगी)"
        r"|असमर्थ|अक्षम|(?:संभव|सक्षम|समर्थ|अनुमति|उचित) नहीं|इनकार|इंकार|मना (?:करता|करती|करना))",
        rf"(?:इस|आपके|आपकी|ऐसी|ऐसे)\s[^।.!?\n]{{0,60}}?{_HINDI_ACTS}[^।.!?\n]{{0,30}}?"
        r"(?:नहीं (?:कर|दे|बता|लिख|बना)? ?(?:सकता हूँ|सकती हूँ|सकता|सकती)|असमर्थ हूँ)",
        r"(?:यह|आपका) (?:अनुरोध|प्रश्न|सवाल)[^।.!?\n]{0,60}? (?:उल्लंघन|ख़िलाफ़|विरुद्ध)",
    ),
)

_WORDINGS = {"en": _ENGLISH, "zh": _CHINESE, "fr": _FRENCH, "es": _SPANISH, "ar": _ARABIC, "hi": _HINDI}
