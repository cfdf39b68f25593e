"""The options that say what is run, shared by the commands that need a model and tasks."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from evalsuite.config import ModelConfig, RunConfig, check_flag, make_config, read_config


class Pairs(argparse.Action):
    """``K=V,...``; given again it adds to what was given before, as programs that build a command line expect."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        """Joins `values` to those before."""
        before = getattr(namespace, self.dest, None)
        setattr(namespace, self.dest, f"{before},{values}" if before else values)


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """What answers: lm-eval's flags with their spelling and short forms."""
    add = parser.add_argument
    add("--model", "-M", help="a built-in (smollm2-135m), a hub name, a folder or .gguf file, or an engine "
        "(hf, vllm, openai, scripted, recorded, external)")  # fmt: skip
    add("--model_args", "-a", action=Pairs, metavar="K=V,...", help="the engine's arguments: pretrained=, revision=, "
        "dtype=, max_length=, generation=, peft=, load_in_8bit=, load_in_4bit=, compile=; model=, base_url= and more "
        "for openai; path= for recorded; function= for scripted; python=, metric= for external")  # fmt: skip
    add("--batch_size", "-b", metavar="N|auto", help="rows computed together; auto is a token budget a device")
    add("--device", metavar="NAME", help="cpu, cuda, cuda:1; the default is a GPU when there is one")
    add("--chat_template", metavar="FILE", help="a Jinja chat template in place of the model's own")
    add("--deterministic", action="store_true", default=None, help="the same bits again on the same machine, also "
        "after an interruption; slower")  # fmt: skip
    add_worker_options(parser)


def add_worker_options(parser: argparse.ArgumentParser) -> None:
    """How many processes answer, and where."""
    add = parser.add_argument
    add("--workers", metavar="N", help="N processes with the whole model each, by Ray; a GPU each where there are some")
    add("--cluster", metavar="ADDRESS", help="the Ray cluster of the workers: auto or HOST:PORT; by default this "
        "machine alone")  # fmt: skip


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """lm-eval's flags with their spelling and short forms, and our own."""
    add = parser.add_argument
    add("config", nargs="?", metavar="CONFIG", help="YAML file with the same keys as the flags; flags win")
    add_model_options(parser)
    add("--tasks", "-t", nargs="+", metavar="TASK", help="families, tasks or family:category; `evalsuite list tasks`")
    add("--num_fewshot", "-f", metavar="N", help="exemplars before each question: one number, or by task as "
        "arc_challenge=25,mmlu=5")  # fmt: skip
    add("--protocol", metavar="ID", help="the rules of a task, where it has several; part of every number's name; "
        "by task as mmlu=openllm-v1")  # fmt: skip
    add("--prompt_language", metavar="CODE", help="the language of the words around each sample's text: en, zh, "
        "fr, ar, es, hi, or native; by task as mini_math=en")  # fmt: skip
    add("--limit", "-L", metavar="N", help="samples a task family, stratified by language and category, nested; "
        "a share when below 1")  # fmt: skip
    add("--limit_mode", choices=("stratified", "first"), help="first: lm-eval's meaning, the first N of every task")
    add("--samples", metavar="JSON", help='rows by task, as JSON or a file of it: {"arc_easy": [0, 5]}')
    add("--seed", metavar="N", help="draws exemplars, limits and sampled answers (default 1234)")
    add("--apply_chat_template", nargs="?", const="true", metavar="BOOL", help="send prompts as conversations; "
        "by default only chat tasks do")  # fmt: skip
    add("--fewshot_as_multiturn", nargs="?", const="true", metavar="BOOL", help="exemplars as turns of a "
        "conversation; by default so where prompts are conversations")  # fmt: skip
    add("--system_instruction", metavar="TEXT", help="put before every prompt")
    add("--gen_kwargs", action=Pairs, metavar="K=V,...", help="temperature=, top_p=, max_gen_toks=, do_sample=")
    add("--truncation", choices=("error", "drop_shots", "truncate_left"), help="what happens to a prompt longer than "
        "the model's context; by default as the task's protocol says; error: its sample is unscored")  # fmt: skip
    add("--repeats", metavar="K", help="ask every sample of a task with sampled answers K times, each with a seed of "
        "its own; its score is the mean")  # fmt: skip
    add("--output_path", "-o", metavar="DIR", help="where run directories go (default runs)")
    add("--use_cache", metavar="DIR", help="generated answers kept across runs, found again by everything that can "
        "change them")  # fmt: skip
    add("--log_samples", "-s", action="store_true", help="accepted for lm-eval's sake; samples are always stored")
    add("--data_dir", metavar="DIR", help="local mirror of the datasets, in place of EVALSUITE_DATA")


def config_from(options: argparse.Namespace, defaults: Mapping[str, Any] = MappingProxyType({})) -> RunConfig:
    """The checked configuration: flags over file over `defaults`. Raises UsageError."""
    file_keys = read_config(Path(options.config)) if options.config else {}
    flags: dict[str, Any] = {}
    for key in RunConfig.__struct_fields__:
        value = getattr(options, key, None)
        if value is not None:
            flags[key] = check_flag(key, _typed(key, value))
    return make_config({**defaults, **file_keys}, flags)


def model_config_from(options: argparse.Namespace) -> ModelConfig:
    """What answers, from the flags alone. Raises UsageError."""
    flags = {key: getattr(options, key, None) for key in ModelConfig.__struct_fields__}
    checked = {key: check_flag(key, value) for key, value in flags.items() if value is not None}
    return msgspec.convert(checked, ModelConfig)


def _typed(key: str, value: Any) -> Any:
    """A flag's text as YAML would have read it, where the key is not text."""
    if key in ("num_fewshot", "limit", "repeats", "apply_chat_template", "fewshot_as_multiturn") and isinstance(
        value, str
    ):
        from evalsuite.config import read_scalar

        return read_scalar(value)
    return value
