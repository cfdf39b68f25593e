"""Each architecture scores exactly in the mode its self-test chooses: tiny models with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tiny_models
import torch
import transformers

from evalsuite.engines import packed_attention, self_test
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel, ModelSettings
from evalsuite.engines.transformers import TransformersEngine
from evalsuite.types import Completion, GenerateRequest, Item, Loglikelihood

SMALL = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256, "head_dim": 8, "initializer_range": 0.3,
}  # fmt: skip
EXPERTS = {"num_local_experts": 4, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
WINDOW = {"sliding_window": 16}
FOREST: dict[str, dict[str, Any]] = {
    "Llama": {}, "Qwen2": {}, "Qwen3": {}, "Phi3": {}, "Granite": {}, "Olmo2": {}, "Starcoder2": WINDOW,
    "OPT": {"ffn_dim": 64, "word_embed_proj_dim": 32}, "GPT2": {"n_embd": 32, "n_layer": 2, "n_head": 4},
    "GPTNeoX": {}, "Mistral": WINDOW, "Cohere2": WINDOW,
    "Gemma2": {**WINDOW, "query_pre_attn_scalar": 8}, "Gemma3Text": {**WINDOW, "query_pre_attn_scalar": 8},
    "GptOss": {**WINDOW, **EXPERTS}, "Mixtral": EXPERTS, "Qwen3Moe": EXPERTS,
}  # fmt: skip
"""Models whose attention goes through the registry, as measured; windows, score caps and sinks included."""
CACHED: dict[str, dict[str, Any]] = {
    "Bloom": {"n_layer": 2, "n_head": 4}, "Mpt": {"d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 256},
    "Falcon": {"alibi": True, "new_decoder_architecture": False, "multi_query": False},
    "GPTJ": {"n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 8},
    "Mamba2": {"num_heads": 8, "head_dim": 8, "state_size": 8, "n_groups": 1, "expand": 2, "chunk_size": 8},
    "Lfm2": {"layer_types": ["conv", "full_attention"]}, "StableLm": {},
}  # fmt: skip
"""Models on which a forest is wrong or impossible: distances by key index, a state that leaks across segments."""
PLAIN: dict[str, dict[str, Any]] = {
    "Jamba": {"mamba_d_state": 4, "mamba_dt_rank": 4, "attn_layer_period": 2, "attn_layer_offset": 1,
              "use_mamba_kernels": False, **EXPERTS},
}  # fmt: skip
"""Models whose cache is wrong too."""
ENCODER_DECODER: dict[str, dict[str, Any]] = {
    "T5": {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0},
    "Bart": {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
             "decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64},
}  # fmt: skip
ALL = {"forest": FOREST, "cached": CACHED, "plain": PLAIN, "encoder-decoder": ENCODER_DECODER}


def saved(folder: Path, name: str, settings: dict[str, Any], dtype: str = "float32") -> LocalModel:
    """The model `name` with random weights and a tokenizer of characters."""
    torch.manual_seed(3)
    tokenizer = tiny_models.characters()
    config_class = getattr(transformers, f"{name}Config")
    classes = (
        f"{name.removesuffix('Text')}ForCausalLM",
        f"{name}LMHeadModel",
        f"{name}ForConditionalGeneration",
    )
    if name in ENCODER_DECODER:
        classes = classes[2:]
    model_class = next(getattr(transformers, found) for found in classes if hasattr(transformers, found))
    special = {"pad_token_id": tiny_models.PAD, "bos_token_id": tiny_models.BOS, "eos_token_id": tiny_models.EOS}
    sizes = {key: value for key, value in SMALL.items() if (name, key) != ("Falcon", "head_dim")}
    config = config_class(**{**sizes, **special, "vocab_size": len(tokenizer), **settings})
    model_class(config).eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return LocalModel(ModelSettings(str(folder), None, dtype, "cpu", None, None))


def made_pairs(model: LocalModel) -> list[EncodedPair]:
    """Three documents of which two begin alike, with a few continuations, one token to twelve."""
    generator = torch.Generator().manual_seed(9)

    def tokens(number: int) -> tuple[int, ...]:
        return tuple(torch.randint(4, 100, (number,), generator=generator).tolist())

    shared = tokens(30)
    contexts = [(*shared, *tokens(13)), (*shared, *tokens(5)), tokens(1)]
    return [EncodedPair(context, tokens(size), "") for context in contexts for size in (1, 1, 3, 12)]


def alone(model: LocalModel, pair: EncodedPair) -> float:
    """The reference: one row by itself, all logits, float64 sum."""
    ids = torch.tensor([[*pair.context, *pair.continuation]])
    targets = torch.tensor(pair.continuation)
    with torch.inference_mode():
        if model.is_encoder_decoder:
            context = torch.tensor([pair.context])
            logits = model.model(input_ids=context, labels=targets[None], use_cache=False).logits[0]
        else:
            logits = model.model(input_ids=ids, use_cache=False).logits[0, len(pair.context) - 1 : -1]
    return float(logits.float().log_softmax(-1).gather(1, targets[:, None]).double().sum())


@pytest.mark.parametrize(("name", "mode"), [(name, mode) for mode, names in ALL.items() for name in names])
@pytest.mark.filterwarnings("ignore")
def test_every_architecture_scores_exactly_in_its_mode(tmp_path: Path, name: str, mode: self_test.ScoringMode) -> None:
    model = saved(tmp_path, name, ALL[mode][name])
    assert model.verdict.scoring == mode, model.verdict.reasons
    pairs = made_pairs(model)
    items = [pairs] if mode != "plain" else [[pair] for pair in pairs]
    scored = [found for group in items for found in self_test.SCORERS[mode](model, group)]
    for pair, found in zip(pairs, scored, strict=True):
        assert isinstance(found, Loglikelihood)
        assert found.sum_nats == pytest.approx(alone(model, pair), abs=1e-3, rel=1e-5)


@pytest.mark.parametrize(("name", "mode"), [(name, mode) for mode, names in ALL.items() for name in names])
@pytest.mark.filterwarnings("ignore")
def test_every_architecture_generates_what_generate_does(tmp_path: Path, name: str, mode: str) -> None:
    """Greedy, with rows that come and go: prompts of many lengths, answers that end at different steps."""
    model = saved(tmp_path, name, ALL[mode][name])
    assert model.verdict.generation == ("rows" if mode == "forest" else "static"), model.verdict.reasons
    texts = ["a", "what is it", "abc " * 9, "what is it, and where", "abc " * 9 + "d", "zz"]
    requests = [GenerateRequest(prompt=text, max_tokens=4 + 5 * place) for place, text in enumerate(texts)]
    engine = TransformersEngine(model, 4)
    items = [Item(id=f"{place}", sample_id="", wave=1, request=request) for place, request in enumerate(requests)]
    found = dict(engine.run(engine.plan(items)))
    for item, request in zip(items, requests, strict=True):
        answer = found[item.id]
        assert isinstance(answer, Completion), answer
        assert answer.text == greedy(model, request)


def greedy(model: LocalModel, request: GenerateRequest) -> str:
    """The reference: transformers' own `generate`, one prompt by itself."""
    prompt = torch.tensor([model.encoder.encode_prompt(request, model.max_length).ids])
    with torch.inference_mode():
        row = model.model.generate(prompt, do_sample=False, max_new_tokens=request.max_tokens, pad_token_id=0)[0]
    new = row[1:] if model.is_encoder_decoder else row[prompt.shape[1] :]
    text = model.encoder.tokenizer.decode(new, skip_special_tokens=True)
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize(("name", "mode"), [(name, mode) for mode, names in ALL.items() for name in names])
@pytest.mark.filterwarnings("ignore")
def test_every_architecture_finds_the_same_mode_in_bfloat16(
    tmp_path: Path, name: str, mode: self_test.ScoringMode
) -> None:
    """Its rounding hides no wrong mode and condemns no right one, and adds no more error than one at a time has."""
    exact = saved(tmp_path, name, ALL[mode][name])
    coarse = LocalModel(ModelSettings(str(tmp_path), None, "bfloat16", "cpu", None, None))
    assert coarse.verdict.scoring == mode, coarse.verdict.reasons
    pairs = made_pairs(exact)
    items = [pairs] if mode != "plain" else [[pair] for pair in pairs]
    scored = [found for group in items for found in self_test.SCORERS[mode](coarse, group)]
    reference = [alone(exact, pair) for pair in pairs]
    ours = [abs(found.sum_nats - right) for found, right in zip(scored, reference, strict=True)]  # type: ignore[union-attr]
    plain = [abs(alone(coarse, pair) - right) for pair, right in zip(pairs, reference, strict=True)]
    assert sum(ours) <= 1.5 * sum(plain)


def test_a_window_is_tested_where_rows_outgrow_it_and_named_where_they_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = {"sliding_window": 1000, "max_position_embeddings": 4096}
    model = saved(tmp_path, "Mistral", wide)
    assert max(len(pair.context) for pair in self_test._made_up(model)) == 1048
    assert (model.verdict.scoring, model.verdict.untested) == ("forest", "")
    monkeypatch.setattr(self_test, "_CPU_FLOPS", 1.0)
    large = LocalModel(model.settings)
    assert max(len(pair.context) for pair in self_test._made_up(large)) == 48
    assert large.verdict.untested == "rows longer than the sliding window of 1000 tokens"
    engine = TransformersEngine(large)
    assert engine.stack()["not_in_the_self_test"] == large.verdict.untested
    assert "not_in_the_self_test" not in TransformersEngine(model).stack()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_sabotaged_mask_makes_the_engine_refuse_the_forest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    """Every token sees all before it, other branches too."""
    model = saved(tmp_path, "Llama", {}, dtype)
    original = packed_attention.make_layout

    def seeing_too_much(*arguments: Any) -> packed_attention.PackedLayout:
        layout = original(*arguments)
        layout.subtree_ends.fill_(len(layout.subtree_ends))
        return layout

    monkeypatch.setattr(packed_attention, "make_layout", seeing_too_much)
    assert (model.verdict.scoring, model.verdict.generation) == ("cached", "static")
    assert "forest: scores differ by" in model.verdict.reasons[0]
