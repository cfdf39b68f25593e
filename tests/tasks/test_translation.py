"""Translation: scores and signatures are those of sacrebleu's own command; prompts in six languages; flags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sacrebleu.metrics import BLEU
from translation_tasks import (
    FLORES,
    WIDTH,
    WMT,
    by_command,
    columns,
    corpus_value,
    damaged,
    metric_of,
    prompt,
    samples,
    scored,
    task,
)

from evalsuite.cli.main import main
from evalsuite.contracts import TaskOptions
from evalsuite.engines.scripted import ScriptedEngine
from evalsuite.errors import EXIT_USAGE, UnknownName, UsageError
from evalsuite.plugins import family
from evalsuite.types import Flag, Message, Sample

LANGUAGES = ("en", "zh", "fr", "ar", "es", "hi")
FLORES_TARGETS = tuple(next(name for name in FLORES if name.endswith(f"-{code}")) for code in LANGUAGES)
"""One direction into each language: the references do not depend on the source."""
SEVERAL = ("wmt21_de-en", "wmt21_en-de", "wmt21_en-zh", "wmt22_de-en", "wmt22_en-de", "wmt22_en-zh", "wmt22_zh-en")


# -- scores


def assert_as_by_command(folder: Path, name: str, metrics: tuple[str, ...], taken: tuple[Sample, ...]) -> None:
    """Every digit that the command prints, and its signature."""
    built = task(name)
    wanted = columns(taken) if metrics == ("bleu_all",) else columns(taken)[:1]
    texts = damaged(wanted[-1], built.language, seed=len(name))
    expected = by_command(folder, built.language, metrics, texts, wanted)
    for metric in metrics:
        value, signature = corpus_value(built, metric, taken, texts, wanted), metric_of(built, metric).signature()
        assert (float(f"{value:.{WIDTH}f}"), signature) == expected[metric], metric
        assert 5 < value < 95, metric


@pytest.mark.data
@pytest.mark.parametrize("name", [*WMT, *FLORES_TARGETS])
def test_scores_are_those_of_sacrebleus_command(mirror: Path, tmp_path: Path, name: str) -> None:
    taken = samples(mirror, name)
    assert_as_by_command(tmp_path, name, ("bleu", "chrf"), taken[:1026])
    assert_as_by_command(tmp_path, name, ("chrf++", "ter"), taken[:100])  # TER takes its time


@pytest.mark.data
@pytest.mark.parametrize("name", SEVERAL)
def test_scores_against_all_references_are_those_of_sacrebleus_command(mirror: Path, tmp_path: Path, name: str) -> None:
    assert_as_by_command(tmp_path, name, ("bleu_all",), samples(mirror, name)[:400])


@pytest.mark.full
@pytest.mark.data
@pytest.mark.parametrize("metrics", [("bleu", "chrf"), ("chrf++",), ("ter",)], ids="+".join)
@pytest.mark.parametrize("name", [*WMT, *FLORES_TARGETS])
def test_whole_sets_score_as_by_sacrebleus_command(
    mirror: Path, tmp_path: Path, name: str, metrics: tuple[str, ...]
) -> None:
    assert_as_by_command(tmp_path, name, metrics, samples(mirror, name))


@pytest.mark.full
@pytest.mark.data
@pytest.mark.parametrize("name", SEVERAL)
def test_whole_sets_score_against_all_references_as_by_sacrebleus_command(
    mirror: Path, tmp_path: Path, name: str
) -> None:
    assert_as_by_command(tmp_path, name, ("bleu_all",), samples(mirror, name))


@pytest.mark.data
def test_only_sets_with_several_references_have_a_score_against_all(mirror: Path) -> None:
    for name in WMT:
        has_several = any(metric.name == "bleu_all" for metric in task(name).metrics)
        assert has_several == (name in SEVERAL) == (len(columns(samples(mirror, name))) > 1), name


@pytest.mark.parametrize(
    ("name", "first", "others"),
    [
        ("wmt23_en-zh", "bleu", {"chrf++", "chrf", "ter"}),
        ("wmt22_en-zh", "bleu", {"chrf++", "chrf", "ter", "bleu_all"}),
        ("flores_en-hi", "chrf++", {"bleu", "chrf", "ter"}),
        ("mini_translation_en-hi", "chrf", {"bleu", "chrf++", "ter"}),
    ],
)
def test_the_headline_stands_first(name: str, first: str, others: set[str]) -> None:
    names = [metric.name for metric in task(name).metrics]
    assert names[0] == first
    assert set(names[1:]) == others | {"language_fidelity", "sentence_fidelity"}
    assert {metric.name: metric.higher_is_better for metric in task(name).metrics}["ter"] is False


def sample_of(text: str = "The hat is red.", target: str = "Le chapeau est rouge.", **more: Any) -> Sample:
    metadata = {"source_text": text, "source_language": "en", **more}
    return Sample(id="x:test:0", input=text, language="fr", target=target, metadata=metadata)


def test_a_sample_is_scored_by_every_metric_of_its_task() -> None:
    """The answer is taken without what the model thought and without the spaces around it."""
    sample, built = sample_of(reference_B="Rouge est le chapeau."), task("wmt22_en-zh")
    outcome = scored(built, sample, "<think>Hm, red.</think>\n Rouge est le chapeau. ")
    assert outcome.answer == "Rouge est le chapeau."
    counts = {score.name: score.counts for score in outcome.scores}
    assert set(counts) == {metric.name for metric in built.metrics}
    assert metric_of(built, "bleu_all").reduce(counts["bleu_all"]) == pytest.approx(100)
    assert metric_of(built, "bleu").reduce(counts["bleu"]) != pytest.approx(100)
    right = scored(built, sample_of(), "Le chapeau est rouge.")
    values = {score.name: metric_of(built, score.name).reduce(score.counts) for score in right.scores}
    assert [values[name] for name in ("chrf", "chrf++", "ter")] == [pytest.approx(100), pytest.approx(100), 0]


# -- flags


def flags(text: str, sample: Sample | None = None, **more: Any) -> set[Flag]:
    return set(scored(task("flores_en-fr"), sample or sample_of(), text, **more).flags)


@pytest.mark.parametrize("text", ["", " \n", "<think>What is a hat?</think>"])
def test_an_answer_without_text_is_empty_and_no_copy(text: str) -> None:
    assert flags(text) == {Flag.EMPTY}


@pytest.mark.parametrize("text", ["The hat is red.", "the  HAT is red", " «The hat is red» !", "Ｔｈｅ hat is red."])
def test_the_source_again_is_a_copy(text: str) -> None:
    assert Flag.COPIED in flags(text)


@pytest.mark.parametrize("text", ["The hat is red. Le chapeau est rouge.", "The hat is", "Le chapeau est rouge.", "?!"])
def test_what_is_not_the_source_alone_is_no_copy(text: str) -> None:
    assert Flag.COPIED not in flags(text)


def test_a_text_that_stays_the_same_is_no_copy() -> None:
    assert Flag.COPIED not in flags("Angela Merkel!", sample_of("Angela Merkel", "« Angela Merkel »"))
    assert Flag.COPIED in flags("Angela Merkel!", sample_of("Angela Merkel", "Mme Angela Merkel"))


def test_marks_alone_are_no_copy() -> None:
    assert Flag.COPIED not in flags("...", sample_of("...", "Points."))


def test_an_answer_that_was_cut_off_is_capped() -> None:
    assert Flag.CAPPED in flags("Le chapeau", stop_reason="length")
    assert Flag.CAPPED not in flags("Le chapeau")


def test_an_answer_in_another_language_is_flagged() -> None:
    french = "Le chapeau rouge se trouve depuis hier soir sur la grande table de la cuisine."
    german = "Der rote Hut liegt seit gestern Abend auf dem großen Tisch in der Küche."
    assert flags(french) == set()
    assert flags(german) == {Flag.WRONG_LANGUAGE}


# -- prompts


ASKED = {
    "en": ("English: A\nHindi:", "Translate this text from English into Hindi. Write the translation only.\n\nA"),
    "zh": ("英语: A\n印地语:", "请把下面这段文字从英语翻译成印地语。只写译文。\n\nA"),
    "fr": (
        "anglais: A\nhindi:",
        "Traduis ce texte (langue de départ\u202f: anglais\u202f; langue d’arrivée\u202f: hindi). "
        "N’écris que la traduction.\n\nA",
    ),
    "ar": ("الإنجليزية: A\nالهندية:", "ترجم هذا النص من الإنجليزية إلى الهندية. اكتب الترجمة فقط.\n\nA"),
    "es": ("inglés: A\nhindi:", "Traduce este texto del inglés al hindi. Escribe solo la traducción.\n\nA"),
    "hi": (
        "अंग्रेज़ी: A\nहिंदी:",
        "इस पाठ का अंग्रेज़ी से हिंदी में अनुवाद कीजिए। केवल अनुवाद लिखिए।\n\nA",
    ),
}
ROWS = (
    ({"sentence": "A", "URL": "u", "domain": "d"},),
    ({"sentence": "क", "URL": "u", "domain": "d"},),
    ({"sentence": "S1"}, {"sentence": "S2"}),
    ({"sentence": "T1"}, {"sentence": "T2"}),
)


def hand_made(num_fewshot: int = 0, **options: Any) -> Sample:
    """The one sample of hand-made rows, English into Hindi."""
    built = task("flores_en-hi", num_fewshot=num_fewshot, **options)
    (sample,) = built.samples(ROWS if num_fewshot else ROWS[:2])
    return sample


@pytest.mark.parametrize("wanted", [*LANGUAGES, "native", ""])
def test_prompts_in_six_languages(wanted: str) -> None:
    language = {"native": "hi", "": "en"}.get(wanted, wanted)
    for is_chat, asked in enumerate(ASKED[language]):
        options: dict[str, Any] = {"prompt_language": wanted, "chat": bool(is_chat)}
        expected = (Message(role="user", content=asked),) if is_chat else asked
        assert prompt("flores_en-hi", hand_made(**options), **options) == expected
    built = task("flores_en-hi", prompt_language=wanted)
    assert built.prompt_language == language
    assert built.protocol == "translation-v1" + ("" if language == "en" else f"+prompt-{language}")


def test_exemplars_stand_before_the_question_with_their_translations() -> None:
    sample = hand_made(2)
    first, second = sample.shots
    assert {(shot.input, shot.target) for shot in sample.shots} == {
        ("English: S1\nHindi:", "T1"),
        ("English: S2\nHindi:", "T2"),
    }
    assert prompt("flores_en-hi", sample) == (
        f"{first.input} {first.target}\n\n{second.input} {second.target}\n\nEnglish: A\nHindi:"
    )


def test_exemplars_are_turns_of_a_conversation() -> None:
    options: dict[str, Any] = {"chat": True, "multiturn_shots": True, "system_instruction": "Be brief."}
    messages = prompt("flores_en-hi", hand_made(1, **options), **options)
    assert [message.role for message in messages if isinstance(message, Message)] == (
        ["system", "user", "assistant", "user"]
    )


def test_a_base_model_ends_at_the_line_and_a_chat_model_by_itself() -> None:
    for is_chat in (False, True):
        (request,) = task("flores_en-hi", chat=is_chat).next_requests(hand_made(chat=is_chat), ())
        assert (request.stop, request.max_tokens) == (() if is_chat else ("\n",), 512)  # type: ignore[union-attr]
    (request,) = task("mini_translation_en-hi").next_requests(hand_made(), ())
    assert request.max_tokens == 128  # type: ignore[union-attr]


def test_an_unknown_prompt_language_is_named() -> None:
    with pytest.raises(UnknownName, match=r"'xx'.*flores_en-hi can be asked in: en, zh, fr, ar, es, hi, native\."):
        task("flores_en-hi", prompt_language="xx")


def test_an_unknown_protocol_is_named() -> None:
    with pytest.raises(UnknownName, match=r"flores_en-hi has: translation-v1, translation-v1\+spbleu\."):
        task("flores_en-hi", protocol="translation-v9")


# -- refusals before anything runs


def test_a_task_without_words_of_its_own_refuses_a_prompt_language(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["run", "--model", "scripted", "--tasks", "hellaswag", "--prompt_language", "fr"])
    assert (code, capsys.readouterr().err) == (
        EXIT_USAGE,
        "evalsuite: --prompt_language: hellaswag puts no words of its own around its samples; leave it out.\n",
    )


def refuse_tokenizer(_: object, tokenize: str) -> None:
    """sacrebleu's BLEU where the tokenizer's model is not kept and no network answers."""
    raise OSError(f"no model of {tokenize}\nand more")


def refuse_work(*_: object) -> None:
    raise AssertionError("the engine was set to work")


def test_spbleu_without_its_tokenizer_is_refused_before_a_model_is_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(BLEU, "__init__", refuse_tokenizer)
    monkeypatch.setattr(ScriptedEngine, "plan", refuse_work)
    monkeypatch.setattr(ScriptedEngine, "run", refuse_work)
    wanted = ("--tasks", "flores_en-hi", "--protocol", "translation-v1+spbleu")
    code = main(["run", "--model", "scripted", *wanted, "--output_path", str(tmp_path / "runs")])
    assert (code, capsys.readouterr().err) == (
        EXIT_USAGE,
        "evalsuite: --protocol translation-v1+spbleu: sacrebleu cannot load the tokenizer flores200 "
        "(no model of flores200); it needs the package sentencepiece and, once, a network.\n",
    )
    assert not (tmp_path / "runs").exists()
    with pytest.raises(UsageError, match="flores200"):
        family("wmt22").build("wmt22_de-fr", TaskOptions(protocol="translation-v1+spbleu"))
