"""What a user writes, in a YAML file or as flags, checked before anything is loaded."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from evalsuite.errors import ConfigError, UsageError, nearest
from evalsuite.types import Record, Scalar
from evalsuite.yaml_files import plain, read_yaml

LimitMode = Literal["stratified", "first"]
Truncation = Literal["error", "drop_shots", "truncate_left"]

GENERATION_KEYS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_gen_toks": "max_tokens",
    "max_new_tokens": "max_tokens",
    "max_tokens": "max_tokens",
    "do_sample": "do_sample",
}
"""What ``gen_kwargs`` may hold, in lm-eval's spellings, and what it is called here."""


MAX_TEMPERATURE = 100.0
"""Beyond it all tokens are as likely as any, which no server takes."""


class _Generation(Record, frozen=True, kw_only=True):
    """What the values of ``gen_kwargs`` must be."""

    temperature: Annotated[float, msgspec.Meta(ge=0, le=MAX_TEMPERATURE)] | None = None
    top_p: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    do_sample: bool | None = None


_TEXT_KEYS = {"revision", "pretrained", "path", "function", "name", "peft", "model", "base_url", "tokenizer"}
"""Arguments that are text even where they look like numbers (a revision of digits)."""


class ModelConfig(Record, frozen=True, kw_only=True):
    """What answers, as a user asks for it."""

    model: str
    model_args: Mapping[str, Scalar] = {}
    batch_size: int | None = None
    device: str | None = None
    chat_template: str | None = None
    deterministic: bool = False
    workers: Annotated[int, msgspec.Meta(ge=1)] = 1
    cluster: str | None = None


class RunConfig(ModelConfig, frozen=True, kw_only=True):
    """One run as a user asks for it. Field names are lm-eval's wherever it has one."""

    tasks: tuple[str, ...]
    num_fewshot: int | Mapping[str, int] | None = None
    protocol: str | Mapping[str, str] | None = None
    prompt_language: str | Mapping[str, str] | None = None
    limit: float | None = None
    limit_mode: LimitMode = "stratified"
    samples: Mapping[str, tuple[int, ...]] = {}
    seed: int = 1234
    apply_chat_template: bool | None = None
    fewshot_as_multiturn: bool | None = None
    system_instruction: str = ""
    gen_kwargs: Mapping[str, Scalar] = {}
    truncation: Truncation | None = None
    repeats: Annotated[int, msgspec.Meta(ge=1)] = 1
    output_path: str = "runs"
    use_cache: str | None = None
    data_dir: str | None = None


def read_config(path: Path) -> dict[str, Any]:
    """The keys of a YAML file, each checked for name and type. Raises ConfigError with file and line."""
    value, lines = read_yaml(path)
    normal = {}
    for key, entry in value.items():
        name, checked = check_entry(str(key), entry, f"{path}, line {lines.get(str(key), 1)}")
        normal[name] = checked
    return normal


def check_entry(key: str, value: Any, where: str) -> tuple[str, Any]:
    """A key as it is called here, and its value in the key's form. Raises ConfigError, which begins with `where`."""
    return _known_key(key, where), _checked(key, value, where)


def make_config(file_keys: Mapping[str, Any], flags: Mapping[str, Any]) -> RunConfig:
    """Flags over file over defaults. Raises UsageError when model or tasks are missing."""
    merged = {**file_keys, **{key: value for key, value in flags.items() if value is not None}}
    for key, hint in (("model", "--model smollm2-135m"), ("tasks", "--tasks mini_choice")):
        if not merged.get(key):
            raise UsageError(f"no {key} given; for example {hint}, or a config file with the key '{key}'.")
    return msgspec.convert(merged, RunConfig)


def check_flag(key: str, value: Any) -> Any:
    """A flag's value in the form of its key. Raises UsageError naming the flag."""
    return _checked(key, value, f"--{key}")


def parse_pairs(text: str, where: str) -> dict[str, Scalar]:
    """``a=1,b=x`` (or a JSON object) as values: numbers and true/false are read as such. Raises ConfigError."""
    if text.strip().startswith("{"):
        try:
            parsed = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"{where}: not JSON: {error}.") from error
        return dict(parsed)
    pairs: dict[str, Scalar] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals or not key:
            raise ConfigError(f"{where}: {part!r} is not of the form key=value.")
        key, found = key.strip(), value.strip()
        if key in pairs:
            raise ConfigError(f"{where}: {key} is given twice.")
        pairs[key] = found if key in _TEXT_KEYS else read_scalar(found)
    return pairs


def read_scalar(text: str) -> Scalar:
    """`text` as true, false, a finite number, or itself."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    return text


def _known_key(key: str, where: str) -> str:
    name = key.replace("-", "_")
    known = RunConfig.__struct_fields__
    if name in known:
        return name
    near = nearest(name, known)
    guess = f"did you mean {near!r}?" if near else f"expected one of {', '.join(known)}."
    raise ConfigError(f"{where}: unknown key {key!r}; {guess}")


def _checked(key: str, value: Any, where: str) -> Any:
    name = key.replace("-", "_")
    value = _lenient(name, value, where)
    field = next(field for field in msgspec.structs.fields(RunConfig) if field.name == name)
    try:
        converted = msgspec.convert(value, field.type)
        if name == "gen_kwargs":
            msgspec.convert(converted, _Generation)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {key} is {value!r}: {plain(str(error))}.") from error
    _check_range(name, converted, where)
    return converted


def _lenient(name: str, value: Any, where: str) -> Any:
    """lm-eval's looser spellings: strings for lists and pairs, ``auto``, ``0,1234,1234``, JSON or a file of samples."""
    if name == "tasks" and isinstance(value, str):
        return [task for task in re.split(r"[,\s]+", value) if task]
    if name == "tasks" and isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return [task for entry in value for task in entry.split(",") if task]
    if name in ("model_args", "gen_kwargs") and isinstance(value, str):
        value = parse_pairs(value, where)
    if name in ("num_fewshot", "protocol", "prompt_language") and isinstance(value, str) and "=" in value:
        return parse_pairs(value, where)
    if name == "gen_kwargs" and isinstance(value, dict):
        return {_generation_key(key, where): entry for key, entry in value.items()}
    if name == "workers" and isinstance(value, str):
        return read_scalar(value)
    if name == "batch_size" and isinstance(value, str):
        return None if value.startswith("auto") else read_scalar(value)
    if name == "seed" and isinstance(value, str):
        return read_scalar(value.split(",")[-1])
    if name == "samples" and isinstance(value, str):
        return _samples(value, where)
    return value


def _generation_key(key: str, where: str) -> str:
    if key not in GENERATION_KEYS:
        near = nearest(key, GENERATION_KEYS)
        guess = f"did you mean {near!r}?" if near else f"expected one of {', '.join(GENERATION_KEYS)}."
        raise ConfigError(f"{where}: gen_kwargs has no {key!r}; {guess}")
    return GENERATION_KEYS[key]


def _samples(value: str, where: str) -> Any:
    text = value
    if not value.lstrip().startswith("{"):
        try:
            text = Path(value).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{where}: {value} cannot be read: {error}") from error
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(f'{where}: expected JSON like {{"arc_easy": [0, 5]}}: {error}.') from error


def _check_range(name: str, value: Any, where: str) -> None:
    smallest = {"num_fewshot": 0, "batch_size": 1, "limit": 0}.get(name)
    for number in value.values() if name == "num_fewshot" and isinstance(value, dict) else [value]:
        if smallest is not None and number is not None and number < smallest:
            raise ConfigError(f"{where}: {name} is {number}, expected {smallest} or more.")
    if name == "limit" and value is not None and not (0 <= value < 1 or float(value).is_integer()):
        raise ConfigError(f"{where}: limit is {value}; expected a whole number, or a share below 1.")
