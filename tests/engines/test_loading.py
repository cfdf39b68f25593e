"""Adapters are merged exactly and belong to a model's identity; quantised weights load, or say what they need."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import characters, save_llama
from transformers import LlamaConfig, LlamaForCausalLM

from evalsuite.engines import forest_scorer, loading
from evalsuite.engines.base import EngineOptions
from evalsuite.engines.encoding import EncodedPair
from evalsuite.engines.local_model import LocalModel, ModelSettings
from evalsuite.engines.model_arguments import open_engine
from evalsuite.errors import EvalsuiteError, ModelUnreadable, UsageError
from evalsuite.types import Loglikelihood, Scalar

PAIRS = [EncodedPair((5, 6, 7, 8), (9, 10, 11), ""), EncodedPair((5, 6, 30), (40,), "")]
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")  # peft asks for it
needs_peft = pytest.mark.skipif(find_spec("peft") is None, reason="peft is an optional extra")
needs_bitsandbytes = pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is an optional extra")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain model."""
    return save_llama(tmp_path_factory.mktemp("base"), characters())


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter of `base` that changes its answers."""
    peft = pytest.importorskip("peft")
    torch.manual_seed(4)
    config = peft.LoraConfig(r=4, target_modules=["q_proj", "up_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    folder = tmp_path_factory.mktemp("adapter")
    peft.get_peft_model(LlamaForCausalLM.from_pretrained(base), config).save_pretrained(folder)
    return folder


@pytest.fixture
def adapter(trained: Path, tmp_path: Path) -> Path:
    """A copy of it, to be broken."""
    return Path(shutil.copytree(trained, tmp_path / "adapter"))


def local(folder: Path, adapter: Path | None = None, bits: loading.Bits | None = None) -> LocalModel:
    named = str(adapter) if adapter else None
    return LocalModel(ModelSettings(str(folder), None, "float32", "cpu", None, None, adapter=named, bits=bits))


def scores(model: LocalModel) -> list[float]:
    found = forest_scorer.score(model, PAIRS)
    return [answer.sum_nats for answer in found if isinstance(answer, Loglikelihood)]


@needs_peft
def test_scores_are_those_of_the_merged_model(base: Path, adapter: Path, tmp_path: Path) -> None:
    """Peft's own merge, saved as a plain model."""
    import peft

    whole = peft.PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(base), str(adapter)).merge_and_unload()
    whole.save_pretrained(tmp_path / "whole")
    characters().save_pretrained(tmp_path / "whole")
    model = local(base, adapter)
    assert type(model.model) is LlamaForCausalLM
    assert not any("lora" in name for name, _ in model.model.named_parameters())
    assert scores(model) == scores(local(tmp_path / "whole"))
    assert scores(model) != pytest.approx(scores(local(base)), abs=1e-2)
    assert (model.verdict.scoring, model.verdict.reasons) == ("forest", ())


@needs_peft
def test_the_adapter_is_part_of_the_identity(base: Path, adapter: Path) -> None:
    before = local(base, adapter).identity()
    assert str(before["adapter"]).startswith("sha256:")
    assert before["adapter_source"] == "local folder adapter"
    assert {key for key in before if key not in local(base).identity()} == {"adapter", "adapter_source", "peft"}
    (adapter / "README.md").write_text("not read", encoding="utf-8")
    assert local(base, adapter).identity() == before
    weights = load_file(adapter / "adapter_model.safetensors")
    save_file({name: tensor + 1 for name, tensor in weights.items()}, adapter / "adapter_model.safetensors")
    assert local(base, adapter).identity()["adapter"] != before["adapter"]


def without(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def pickled(folder: Path) -> None:
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")


def torn(folder: Path) -> None:
    path = folder / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


@needs_peft
@pytest.mark.parametrize(
    ("breaks", "part"),
    [
        pytest.param(without("adapter_config.json"), "is not an adapter: it has no adapter_config.json", id="config"),
        pytest.param(without("adapter_model.safetensors"), "has no adapter_model.safetensors file", id="weights"),
        pytest.param(pickled, "only pickled weights (adapter_model.bin), which are never loaded", id="pickled"),
        pytest.param(torn, "is not a whole safetensors file", id="torn"),
    ],
)
def test_an_adapter_without_its_files_is_refused_before_weights_load(
    base: Path, adapter: Path, breaks: Callable[[Path], object], part: str
) -> None:
    breaks(adapter)
    with pytest.raises(ModelUnreadable) as caught:
        local(base, adapter).identity()
    assert all(expected in str(caught.value) for expected in (str(adapter), part))


@pytest.mark.parametrize(
    ("name", "part"), [("nowhere", "neither a folder here nor a hub name"), ("some/adapter", "is not cached")]
)
def test_an_adapter_that_is_nowhere_is_refused(base: Path, name: str, part: str) -> None:
    with pytest.raises(ModelUnreadable, match=part):
        _ = LocalModel(ModelSettings(str(base), None, "float32", "cpu", None, None, adapter=name)).adapter


def drop_a_tensor(folder: Path) -> None:
    weights = load_file(folder / "adapter_model.safetensors")
    save_file(dict(list(weights.items())[1:]), folder / "adapter_model.safetensors")


def add_a_tensor(folder: Path) -> None:
    weights = load_file(folder / "adapter_model.safetensors")
    name, tensor = next(iter(weights.items()))
    moved = name.replace("layers.0", "layers.7")
    save_file({**weights, moved: tensor.clone()}, folder / "adapter_model.safetensors")


def for_another_model(folder: Path) -> None:
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    config["target_modules"] = ["c_attn"]
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")


@needs_peft
@pytest.mark.parametrize(
    ("breaks", "part"),
    [
        pytest.param(drop_a_tensor, "1 of the adapter's tensors: missing, the first base_model", id="missing"),
        pytest.param(add_a_tensor, "1 of the adapter's tensors: no place in this model", id="more layers"),
        pytest.param(for_another_model, "c_attn", id="other modules"),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused(
    base: Path, adapter: Path, breaks: Callable[[Path], object], part: str
) -> None:
    """Peft would go on with tensors drawn at random, or left out."""
    breaks(adapter)
    with pytest.raises(ModelUnreadable) as caught:
        _ = local(base, adapter).model
    assert all(expected in str(caught.value) for expected in (f"the adapter {adapter} cannot be merged", part))


@needs_peft
def test_soft_prompts_are_refused(base: Path, tmp_path: Path) -> None:
    import peft

    config = peft.PromptTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM")
    peft.get_peft_model(LlamaForCausalLM.from_pretrained(base), config).save_pretrained(tmp_path / "prompt")
    with pytest.raises(ModelUnreadable, match="an adapter of type PROMPT_TUNING cannot be merged"):
        _ = local(base, tmp_path / "prompt").model


def missing(name: str) -> str:
    raise PackageNotFoundError(name)


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ({"peft": "some/adapter"}, ("peft is not installed", "pip install 'evalsuite[peft]'")),
        ({"load_in_8bit": True}, ("load_in_8bit: bitsandbytes is not installed", "'evalsuite[quantised]'")),
        ({"load_in_4bit": True}, ("load_in_4bit: bitsandbytes is not installed", "'evalsuite[quantised]'")),
    ],
)
def test_what_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, args: Mapping[str, Scalar], parts: tuple[str, ...]
) -> None:
    monkeypatch.setattr(loading, "version", missing)
    with pytest.raises(ModelUnreadable) as caught:
        open_engine(EngineOptions("smollm2-135m", args))
    assert all(part in str(caught.value) for part in parts)


@pytest.mark.parametrize(
    ("args", "part"),
    [
        ({"load_in_8bit": True, "load_in_4bit": True}, "at most one"),
        ({"load_in_8bit": "yes"}, "load_in_8bit=yes: expected true or false"),
        ({"load_in_4bit": True, "peft": "some/adapter"}, "cannot be merged exactly into weights of 4 bits"),
    ],
)
def test_arguments_that_contradict_are_refused(
    monkeypatch: pytest.MonkeyPatch, args: Mapping[str, Scalar], part: str
) -> None:
    monkeypatch.setattr(loading, "version", lambda name: "1")
    with pytest.raises(UsageError, match=part):
        open_engine(EngineOptions("smollm2-135m", args))


def test_weights_are_plain_unless_asked_for(base: Path) -> None:
    engine = open_engine(EngineOptions(str(base), {"load_in_8bit": False}, device="cpu"))
    assert (engine.model.settings.adapter, engine.model.settings.bits) == (None, None)


def quantised_by(config: Mapping[str, object], base: Path, folder: Path) -> Path:
    """A copy of `base` that says it is quantised."""
    shutil.copytree(base, folder)
    known = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**known, "quantization_config": config}), encoding="utf-8")
    return folder


@pytest.mark.skipif(find_spec("gptqmodel") is not None, reason="is about its absence")
@pytest.mark.filterwarnings("ignore")
def test_a_quantised_folder_says_what_it_needs(base: Path, tmp_path: Path) -> None:
    folder = quantised_by({"quant_method": "gptq", "bits": 4, "group_size": 32}, base, tmp_path / "gptq")
    with pytest.raises(EvalsuiteError, match=r"the weights cannot be loaded: ImportError: .*(?i:gptq)") as caught:
        _ = local(folder).model
    assert "\n" not in str(caught.value)


def test_no_adapter_is_merged_into_a_quantised_folder(base: Path, tmp_path: Path, adapter: Path) -> None:
    folder = quantised_by({"quant_method": "gptq", "bits": 4, "group_size": 32}, base, tmp_path / "gptq")
    with pytest.raises(ModelUnreadable, match=r"is quantised: the adapter .* cannot be merged into it exactly"):
        _ = local(folder, adapter).model


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain model whose rows fill blocks of four bits."""
    folder = tmp_path_factory.mktemp("wide")
    torch.manual_seed(5)
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    LlamaForCausalLM(LlamaConfig(vocab_size=len(characters()), **sizes)).save_pretrained(folder)
    characters().save_pretrained(folder)
    return folder


@needs_bitsandbytes
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("bits", [8, 4])
def test_quantised_weights_score_like_plain_ones(wide: Path, tmp_path: Path, bits: loading.Bits) -> None:
    """Loaded so, and saved so and loaded again."""
    model = local(wide, bits=bits)
    found = scores(model)
    assert found == pytest.approx(scores(local(wide)), rel=0.05)
    assert found != scores(local(wide))
    assert model.identity()["bits"] == bits
    model.model.save_pretrained(tmp_path)
    characters().save_pretrained(tmp_path)
    assert scores(local(tmp_path)) == pytest.approx(found, rel=1e-3)


@needs_bitsandbytes
@pytest.mark.filterwarnings("ignore")
def test_missing_tensors_of_quantised_weights_are_refused(base: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(base, tmp_path / "model"))
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelUnreadable, match=r"1 tensors are missing, the first model\.layers\.1\.mlp\.up_proj"):
        _ = local(folder, bits=8).model
