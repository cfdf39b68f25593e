"""Hindi (and Urdu) written in Latin letters, told by its function words; no classifier at hand knows it.

The list is ours. It holds the ways in which people spell the words that hold a Hindi sentence together. Most of the
shortest ones are words of other languages too (*main*, *se*, *ki*, *hai*), so a few of them alone say little.
"""

from __future__ import annotations

import re

MIN_SHARE = 0.25
"""The share of a text's words that must be on the list, less the words that hold other languages together."""
MIN_HITS = 4
"""What the different words that are on the list must amount to: an own word counts two, a shared one counts one."""
MIN_HINT_SHARE = 0.15
"""The share from which on a text with one own word may be Hindi, and so is not safely another language."""
MANY_HITS = 12
"""So much evidence that `MIN_HINT_SHARE` is enough: Hindi full of names and of English nouns."""
MIN_HITS_ALONE = 5
"""The different shared words that say as much as `MIN_HITS` where there is no own word, their share the one below."""
MIN_SHARED_ALONE, MIN_ALONE_SHARE = 3, 0.33
"""The different shared words, and their share, from which on a text without an own word may be Hindi.

One word fewer is enough where the text ends in a verb, as Hindi does.
"""

_WORD = re.compile(r"[^\W\d_]+")
_VERB_LAST = re.compile(r"\b(?:hai|tha|thi|hun|hu|ho|raha|rahi)\W*\Z", re.IGNORECASE)

_OWN_WORDS = """
hain hoon hoga hogi honge hota hoti hote huyi rahe rahaa gaye gayi gayee kiya kiye kiyaa diyaa kijiye kijie dijiye
dijie karke karenge karunga karungi karein sakte saktaa chahiye chaahiye chahta chahte chahti jaata jaate jaati jaane
jaayega jayega jayegi jaega jaegi jaenge jayenge aata aate aati aayega lagta lagte lagti milta milte milti rehta rehte
rehti rahta rahte rahti dekhne dekho kehte kahte kehta kahta mujhe mujhko mujhse tumhe tumhein tumhara tumhare tumhari
hamara hamare hamari humara humare humari hamein humein humne hamne aapka aapke aapki aapko aapne aapse apna apne apni
unka unke unki unko unhe unhen unhein unhone unhonne inke inki inko inhe inhen inhein iske iski isko isse isme ismein
uska uske uski usko usme usmein jiska jiske jiski jisko jisse jisme jismein jisne jinhe jinke jinka jinki kisko kiske
kisne kuch kuchh koee sabhi sabse khud yeh woh voh kya kyaa kyun kyon kyu kyoon kaise kaisa kaisi kahaan kidhar kitna
kitne kitni jitna jitne itna itne itni jaise jaisa jaisi vaise waise aise aisa aisi yahan yahaan vahan wahaan jahaan
abhi kabhi aur nahin nahi nahee naheen bhi bhee lekin kyunki kyonki isliye isiliye liye saath baad pehle pahle phir
taaki dwara dvara tarah baare dauran dauraan anusar anusaar sirf tatha evam shuru jabki halanki haalaanki bahut bohot
bahot thoda thodi thode zyada jyada zyaada
"""
OWN = frozenset(_OWN_WORDS.split())
"""Words of Hindi that are, in these spellings, hardly words of another language."""

_SHARED_WORDS = """
hai main mein me men mai ki ka ke ko se ne par pe ho hu hun hoo tha thi thee jo ek ye yah wo vo vah agar magar gaya gai
gae diya liya dene lene rahne bich beech lo kar karo kare karna karne karta karte karti sakta sakti hua hui hue huee
hone hona raha rahi yani yaani bola boli kaha kahan wahan jahan kisi kiska iska inka usne usse unse jaana jana dekha
aap tum hum ham mera mere meri tera tere teri toh jab tab kab tak ab koi sab wala wale wali vala vale vali sath na bas
hi har kam kaam baat din aaj kal ghar naam samay acha accha achha theek thik matlab warna varna taraf
"""
SHARED = frozenset(_SHARED_WORDS.split())
"""Words that hold Hindi together and are something else in other languages."""

_RIVALS_WORDS = """
the of and are was were be been a an for with that this these those it its as by from at you your he she they we i have
has had will would can could not or but if what when which who how why there means mean meaning de la le les des du et
il elle une que qui dans pour sur sans est sont avec el los las y una del con por es no der die das und ist ein eine
nicht che non per sono yang dan itu ini untuk dengan het een van niet os um uma em bir ve bu da
"""
_RIVALS = frozenset(_RIVALS_WORDS.split())
"""What holds other languages together and is nothing in Hindi: such words are set off against those of Hindi.

So a text that talks about Hindi is not in Hindi, nor one that happens to use some of the shared words.
"""


def is_romanised_hindi(text: str) -> bool:
    """Whether function words of Hindi hold `text` together, whatever their case."""
    own, shared, share = _hits(text)
    hits = 2 * own + shared
    if not own:
        return hits >= MIN_HITS_ALONE and share >= MIN_ALONE_SHARE
    return hits >= MIN_HITS and share >= (MIN_HINT_SHARE if hits >= MANY_HITS else MIN_SHARE)


def may_be_romanised_hindi(text: str) -> bool:
    """Whether too many words of Hindi are in `text` to call it another language, few as they may be."""
    own, shared, share = _hits(text)
    if own:
        return share >= MIN_HINT_SHARE
    return (
        shared >= (MIN_SHARED_ALONE - 1 if _VERB_LAST.search(text) else MIN_SHARED_ALONE) and share >= MIN_ALONE_SHARE
    )


def _hits(text: str) -> tuple[int, int, float]:
    """How many different words of `OWN` and `SHARED` are in `text`, and what share of its words speaks for Hindi."""
    words = [word.casefold() for word in _WORD.findall(text)]
    different = set(words)
    hits = sum(word in OWN or word in SHARED for word in words) - sum(word in _RIVALS for word in words)
    return len(different & OWN), len(different & SHARED), hits / max(1, len(words))
