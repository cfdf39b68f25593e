"""Telling loops: texts written for this test in six languages, some that repeat themselves and some that do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.text.repetition import MIN_WORDS, copied_share, is_repetitive, looping_length

FINE = {
    "en prose": (
        "The harbour wakes before the town does. Gulls quarrel over the first crates, a boy hoses down the slipway, "
        "and the ferry clears its throat twice. By eight the fog has lifted and the market smells of bread and diesel."
    ),
    "en numbered list": "\n".join(
        f"{number}. {step}"
        for number, step in enumerate(
            [
                "Boil the water.",
                "Add the salt.",
                "Add the pasta.",
                "Stir the pasta.",
                "Drain the pasta.",
                "Add the sauce.",
            ],
            start=1,
        )
    ),
    "en list with a frame": "\n".join(
        f"- It is important to {what} before you leave the house."
        for what in (
            "close the windows",
            "turn off the stove",
            "feed the cat",
            "water the plants",
            "lock the door",
            "pay",
        )
    ),
    "en song": "\n\n".join(
        verse + "\n\nRow the boat, row the boat,\nrow it to the shore,\nrow the boat, row the boat,\nrow it evermore."
        for verse in (
            "The morning is cold and the river is wide,\nthe reeds are asleep on the farther side.",
            "The noon is a drum and the oars keep the beat,\nthe boards of the boat are warm under our feet.",
            "The evening comes down with a lamp in its hand,\nwe hear the dogs barking and know it is land.",
        )
    ),
    "en table": "| name | age | town |\n|------|-----|------|\n"
    + "\n".join(
        f"| {name} | {age} | {town} |"
        for name, age, town in [("Ann", 31, "Leeds"), ("Bo", 27, "York"), ("Cy", 31, "Leeds"), ("Di", 44, "York")]
    ),
    "en table of yes and no": "| day | a | b | c | d |\n|---|---|---|---|---|\n"
    + "\n".join(f"| {day} | yes | yes | no | yes |" for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")),
    "en truth table": "| p | q | r | s | p and q and r and s |\n|---|---|---|---|---|\n"
    + "\n".join(
        "| "
        + " | ".join("T" if row >> bit & 1 else "F" for bit in (3, 2, 1, 0))
        + (" | T |" if row == 15 else " | F |")
        for row in range(16)
    ),
    "en empty table": "Fill this in every day.\n\n| date | hours | note |\n|---|---|---|\n" + "|  |  |  |\n" * 14,
    "en multiplication": "\n".join(f"{n} times 7 is {7 * n}." for n in range(1, 21)),
    "en counting": " ".join(map(str, range(1, 200))),
    "en chord chart": "Verse:\n\n" + "| E7 | A7 | E7 | E7 |\n" * 6,
    "en laughter": "He laughed: ha ha ha ha ha ha ha ha ha ha! Then he was quiet again, and we went in.",
    "en decimals": "One third is 0." + "3" * 200 + "...",
    "en form": "Name: " + "_" * 60 + "\nSignature: " + "_" * 60,
    "python": "```python\n"
    + "\n".join(
        f"def test_{name}():\n    assert double({value}) == {2 * value}\n"
        for name, value in zip("abcdefgh", range(8), strict=True)
    )
    + "```",
    "html": "<ul>\n"
    + "\n".join(f'  <li><a href="/{page}">{page}</a></li>' for page in ("home", "shop", "blog", "faq"))
    + "\n</ul>",
    "json": "[\n"
    + ",\n".join(f'  {{"id": {n}, "name": "user{n}", "active": true, "role": "member"}}' for n in range(12))
    + "\n]",
    "matrix of zeros": "```\n" + "\n".join("[" + ", ".join(["0"] * 8) + "]," for _ in range(8)) + "\n```",
    "zh prose": "清晨的码头比小镇醒得更早。海鸥为第一筐鱼争吵，男孩冲洗着斜坡，渡轮清了两次嗓子。"
    "八点钟雾散了，市场里满是面包和柴油的气味。",
    "zh list": "\n".join(
        f"{n}、{step}" for n, step in enumerate(["烧水。", "放盐。", "放面。", "搅拌。", "沥干。", "浇汁。"], start=1)
    ),
    "zh poem": "月亮升起来，照着小河，\n妈妈的歌声轻轻地落。\n睡吧睡吧，我的宝贝，\n星星也要回家了。\n\n"
    "风儿吹过来，摇着芦苇，\n远处的灯火一点一点微。\n睡吧睡吧，我的宝贝，\n星星也要回家了。",
    "zh table": "| 日期 | 上午 | 下午 |\n|---|---|---|\n"
    + "\n".join(f"| 星期{day} | 上课 | 上课 |" for day in "一二三四五"),
    "fr prose": "Le port s'éveille avant la ville. Les mouettes se disputent les premières caisses, un garçon "
    "rince la cale et le bac toussote deux fois. À huit heures la brume est levée et le marché sent le pain.",
    "fr poème": "Il pleut sur le toit de la grange,\nil pleut sur le chemin des vignes,\n"
    "il pleut, et rien ne nous dérange :\nle chat s'étire et nous fait signe.\n"
    "Il pleut sur la mer qui se tait,\nil pleut sur les barques vides.",
    "ar prose": "يستيقظ الميناء قبل المدينة. تتشاجر النوارس على الصناديق الأولى، ويغسل صبي المنحدر، "
    "وتتنحنح العبارة مرتين. عند الثامنة ينقشع الضباب وتفوح من السوق رائحة الخبز.",
    "ar list": "\n".join(
        f"- من المهم أن {what} قبل الخروج." for what in ("تغلق النوافذ", "تطفئ الموقد", "تطعم القطة", "تقفل الباب")
    ),
    "es prosa": "El puerto despierta antes que el pueblo. Las gaviotas se pelean por las primeras cajas, un chico "
    "riega la rampa y el transbordador carraspea dos veces. A las ocho se va la niebla y el mercado huele a pan.",
    "es estribillo": "Sube la luna, sube despacio,\nay, mi niña, duérmete ya.\nCierra la flor su casa de raso,\n"
    "ay, mi niña, duérmete ya.\nPasa el lucero por el espacio,\nay, mi niña, duérmete ya.",
    "hi prose": "बंदरगाह शहर से पहले जागता है। समुद्री पक्षी पहली टोकरियों पर झगड़ते हैं, एक लड़का ढलान धोता है "
    "और नाव दो बार खाँसती है। आठ बजे कोहरा छँट जाता है और बाज़ार में रोटी की महक फैल जाती है।",
    "hi list": "\n".join(
        f"{n}. {step}" for n, step in enumerate(["पानी उबालें।", "नमक डालें।", "दाल डालें।", "धीरे चलाएँ।", "परोसें।"], start=1)
    ),
    "short": "Yes.",
    "empty": "",
}
"""Answers that do not loop, though many say the same in the same words more than once."""

LOOPING = {
    "en sentence": "The answer is 4. " * 12,
    "en sentence cut off": "Paris is the capital of France. " * 9 + "Paris is the cap",
    "en after a good beginning": FINE["en prose"] + " The ferry leaves again at nine in the morning." * 6,
    "en word": "It was a very" + " very" * 60,
    "en paragraph three times": (FINE["en prose"] + "\n\n") * 3,
    "en with a counter": "\n".join(f"{n}. Make sure that all of the doors are closed." for n in range(1, 15)),
    "en with a counter inside": "\n".join(
        f"Step {n}: go to the shop and buy a new bottle of milk for the cat." for n in range(1, 15)
    ),
    "en with an ending": "I would like to thank my teacher for the help that she gave me. " * 8
    + "\n\nBest wishes, Ann",
    "en dialogue": "Question: What is two and two?\nAnswer: It is four.\n" * 6,
    "en lines": "I'm going on holiday.\n\n" * 20,
    "en without spaces": "abcab" * 80,
    "signs": "!" * 400,
    "separators": "Here is the table:\n" + "| --- " * 200,
    "digits": "1/3 = 0." + "3" * 400,
    "table rows": "| name | age |\n|---|---|\n" + "| Ann | 31 years old |\n" * 15,
    "code": "```python\n" + "print('hello world')\n" * 12,
    "code fences": "```\nNIKE\n```\n" * 30,
    "zh sentence": "我喜欢吃苹果。" * 12,
    "zh cut off inside a character": "今天天气很好，我们去公园散步吧。" * 6 + "今天天\N{REPLACEMENT CHARACTER}",
    "zh after a good beginning": FINE["zh prose"] + "渡轮在九点钟再次出发。" * 6,
    "zh paragraph": FINE["zh prose"] * 4 + "完。",
    "fr phrase": "Je vous remercie de votre question. " * 8,
    "fr liste": "\n".join(f"{n}) Il faut toujours penser à bien fermer la porte." for n in range(1, 12)),
    "ar sentence": "هذا سؤال مهم جدا يا صديقي. " * 10,
    "ar after a good beginning": FINE["ar prose"] + " ثم تغادر العبارة الميناء مرة أخرى." * 8,
    "es frase": "Gracias por tu pregunta, amigo mío. " * 8,
    "es párrafo": (FINE["es prosa"] + " ") * 4 + "Fin.",
    "hi sentence": "यह एक बहुत अच्छा सवाल है। " * 16,
    "hi list": "\n".join(f"{n}. हमें हर दिन सुबह जल्दी उठकर टहलने जाना चाहिए।" for n in range(1, 12)),
}
"""Answers caught in a loop."""


def test_there_are_enough_of_both_in_every_language() -> None:
    for texts in (FINE, LOOPING):
        assert len(texts) >= 20
        assert {"en", "zh", "fr", "ar", "es", "hi"} <= {name.partition(" ")[0] for name in texts}


@pytest.mark.parametrize("name", FINE)
def test_answers_that_only_repeat_some_words_do_not_loop(name: str) -> None:
    assert not is_repetitive(FINE[name])


@pytest.mark.parametrize("name", LOOPING)
def test_loops_are_told(name: str) -> None:
    assert is_repetitive(LOOPING[name])


WORDS = [f"w{letter}{other}" for letter in "abcdefghij" for other in "klmnopqrst"]
LONG = " ".join(WORDS) + " "
"""A hundred different words of three letters."""
PASSAGE = " ".join(WORDS[:20]) + " "
"""Twenty of them: 60 letters."""


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        pytest.param("alpha beta " * 6, False, id="54 letters alone"),
        pytest.param("alpha beta " * 7, True, id="63 letters alone"),
        pytest.param("我爱你。" * 6, False, id="18 characters alone"),
        pytest.param("我爱你。" * 7, True, id="21 characters alone"),
        pytest.param(LONG + "alpha beta " * 13, False, id="117 letters after others"),
        pytest.param(LONG + "alpha beta " * 14, True, id="126 letters after others"),
        pytest.param("x " * 63 + "alpha beta " * 7, False, id="half of the letters"),
        pytest.param("y x " * 31 + "alpha beta " * 7, True, id="a letter more than half"),
        pytest.param("!" * 299, False, id="299 signs"),
        pytest.param("!" * 300, True, id="300 signs"),
        pytest.param(LONG + LONG + PASSAGE * 4, False, id="four times"),
        pytest.param(
            " ".join(map(str.upper, WORDS)) + " x " + "abcdefghijklmnopqrstuvwxyz" * 4, False, id="four times 26"
        ),
        pytest.param(
            " ".join(map(str.upper, WORDS)) + " x " + "abcdefghijklmnopqrstuvwxyz" * 5, True, id="five times 26"
        ),
        pytest.param(" ".join(WORDS[:20] * 2 + WORDS[:17]), False, id="37 copies of 57 words"),
        pytest.param(" ".join(WORDS[:20] * 2 + WORDS[:18]), True, id="38 copies of 58 words"),
    ],
)
def test_the_limits(text: str, loops: bool) -> None:
    assert is_repetitive(text) == loops


# -- the end of a text


@pytest.mark.parametrize(
    ("text", "times", "length"),
    [
        ("", 2, 0),
        ("a", 2, 0),
        ("aa", 2, 2),
        ("abab", 2, 4),
        ("babab", 2, 5),
        ("ababa", 3, 0),
        ("xababab", 3, 6),
        ("xbababab", 3, 7),
        ("xaaa", 2, 3),
        ("abcabcabd", 2, 0),
        ("abcabcab", 2, 8),
    ],
)
def test_the_length_of_a_loop_at_the_end(text: str, times: int, length: int) -> None:
    assert looping_length(text, times) == length


@given(st.text(alphabet="ab", max_size=24), st.integers(2, 5))
def test_the_length_is_that_of_the_longest_end_with_a_short_period(text: str, times: int) -> None:
    """By definition: the longest end whose characters equal those a period later."""
    ends = [
        length
        for length in range(1, len(text) + 1)
        for period in range(1, length // times + 1)
        if text[len(text) - length : len(text) - period] == text[len(text) - length + period :]
    ]
    assert looping_length(text, times) == max(ends, default=0)


# -- copies


def test_the_share_of_copies() -> None:
    """Of 40 words the last 10 are the first 10 again; 9 of a kind are a copy, 7 are not long enough for one."""
    words = [f"w{number}" for number in range(40)]
    assert copied_share(" ".join(words)) == 0.0
    assert copied_share(" ".join([*words[:30], *words[:10]])) == 10 / 40
    assert copied_share(" ".join([*words[:31], *words[:9]])) == 9 / 40
    assert copied_share(" ".join([*words[:33], *words[:7]])) == 0.0
    assert copied_share(" ".join(words[:20] * 3)) == 40 / 60
    assert copied_share(" ".join(words[:13] * 3)) == 0.0
    assert MIN_WORDS == 40


def test_few_different_words_are_no_copies() -> None:
    assert copied_share("yes no " * 30) == 0.0
    assert copied_share("one two three four " * 20) == 0.0
    assert copied_share("one two three four five " * 20) == 95 / 100


def test_characters_are_the_words_of_scripts_without_spaces() -> None:
    once = "清晨的码头比小镇醒得更早海鸥为第一筐鱼争吵男孩冲洗着斜坡"
    assert len(once) == 28
    assert copied_share(once * 2) == 28 / 56


def test_code_is_not_counted() -> None:
    words = " ".join(f"w{number}" for number in range(40))
    assert copied_share(f"{words}\n```\n{words}\n```") == 0.0
    assert copied_share(f"{words}\n```\n{words}") == 0.0
    assert copied_share(f"{words}\n{words}") == 0.5


@given(st.text(max_size=200))
def test_any_text_is_judged(text: str) -> None:
    assert is_repetitive(text) in (True, False)
    assert 0.0 <= copied_share(text) <= 1.0


@pytest.mark.parametrize(
    "unit", ["a", "ab ", "好", "```", "1. ", "\n- ", "a b c d e f g ", "x\n", " ", "\N{REPLACEMENT CHARACTER}"]
)
def test_a_megabyte_takes_no_time(unit: str) -> None:
    """Comparing every part with every other would take hours."""
    is_repetitive(unit * (1_000_000 // len(unit)))
