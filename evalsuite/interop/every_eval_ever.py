"""Sealed runs as records of Every Eval Ever, schema 0.3.0: one JSON file a run, every number with its interval.

Source: the schema ``eval.schema.json`` of evaleval/every_eval_ever 0.3.0, from its documented fields. A file lies where
that project keeps it, ``data/<collection>/<developer>/<model>/<uuid>.json``; the uuid is made of the run's id. What a
run does not say (who deployed a model, whether its weights are open) is `unknown` there, as the schema allows.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from evalsuite.errors import UsageError
from evalsuite.interop.data_sources import Source, common_source
from evalsuite.interop.exporting import ExportOptions, Files, check_complete, json_bytes, missing_text, partial_text
from evalsuite.interop.lm_eval_names import folder_name
from evalsuite.interop.sealed_runs import SealedRun
from evalsuite.jury import ENGINE as JURY
from evalsuite.records import IMPORT_FORMAT, IMPORTED, Aggregate, Estimate, ModelSpec
from evalsuite.types import Scalar

SCHEMA = "0.3.0"
COLLECTION = "evalsuite"
_CONFIDENCE = 0.95
_IN_PROCESS = ("transformers", "vllm")
_UNKNOWN = "unknown"
_LIBRARIES = {"lm-eval": "lm_eval", "mt-bench": "fastchat", "alpaca_eval": "alpaca_eval"}
"""What wrote files of each format that is imported."""

_JURY_RULES = {"mean": "average", "majority": "majority_vote"}

Measure = Estimate | Aggregate


def every_eval_ever_files(runs: Sequence[SealedRun], options: ExportOptions) -> Files:
    """A record a run. Raises UsageError for an incomplete run, and for one that does not say when it was made."""
    for run in runs:
        check_complete(run, options)
    return {_place(run, options): json_bytes(_record(run, options)) for run in runs}


def _place(run: SealedRun, options: ExportOptions) -> PurePosixPath:
    developer, slash, model = (options.name or run.model).partition("/")
    if not slash:
        developer, model = _UNKNOWN, developer
    digest = hashlib.sha256(run.result.run_id.encode("ascii")).digest()
    name = uuid.UUID(bytes=digest[:16], version=4)
    return PurePosixPath("data", COLLECTION, folder_name(developer), folder_name(model), f"{name}.json")


def _record(run: SealedRun, options: ExportOptions) -> dict[str, Any]:
    if run.began is None:
        raise UsageError(f"{run.path} does not say when it was made, which a record must; give --date.")
    when = str(int(run.began.timestamp()))
    model = options.name or run.model
    result = run.result
    measures: tuple[Measure, ...] = (*result.estimates, *result.aggregates)
    return {
        "schema_version": SCHEMA,
        "evaluation_id": f"{COLLECTION}-{result.run_id}/{model}/{when}",
        "evaluation_timestamp": when,
        "retrieved_timestamp": when,
        "source_metadata": _source_metadata(run, options),
        "eval_library": _library(run),
        "model_info": _model_info(model, None if result.spec.judged else result.spec.model),
        "evaluation_results": [_result(run, measure) for measure in measures],
    }  # fmt: skip


def _source_metadata(run: SealedRun, options: ExportOptions) -> dict[str, Any]:
    result = run.result
    details = {"run_id": result.run_id, "status": result.status, "seed": str(result.spec.seed)}
    if result.status != "complete":
        details["incomplete"] = missing_text(result.counts)
    if options.source_url:
        details["url"] = options.source_url
    return {
        "source_name": "evalsuite",
        "source_type": "evaluation_run",
        "source_organization_name": options.organization or _UNKNOWN,
        "evaluator_relationship": options.relationship,
        "additional_details": details,
    }


def _library(run: SealedRun) -> dict[str, Any]:
    """What evaluated: of a run that was imported the other tool, as far as its files say."""
    spec, packages = run.result.spec.model, run.result.packages
    ours = packages.get("evalsuite", _UNKNOWN)
    if spec.engine == IMPORTED:
        name = _LIBRARIES[str(spec.identity[IMPORT_FORMAT])]
        version = str(spec.identity.get(f"{name}_version", _UNKNOWN))
        return {"name": name, "version": version, "additional_details": {"imported_by": f"evalsuite {ours}"}}
    others = {name: found for name, found in packages.items() if name != "evalsuite"}
    return {"name": "evalsuite", "version": ours, "additional_details": others}


# -- models


def _model_info(name: str, spec: ModelSpec | None) -> dict[str, Any]:
    """A model by its name, and where a run says how it was loaded, by that."""
    developer, slash, _ = name.partition("/")
    is_here = spec is not None and spec.engine in _IN_PROCESS
    engine = {"inference_engine": _inference_engine(spec)} if spec is not None and is_here else {}
    return {
        "name": name,
        "id": name,
        **({"developer": developer} if slash else {}),
        **engine,
        "additional_details": {
            "deployment_type": "self_deployed" if is_here else _UNKNOWN,
            "model_availability": _UNKNOWN,
            **({"engine": spec.engine, **_texts(spec.identity)} if spec else {}),
        },
    }


def _inference_engine(spec: ModelSpec) -> dict[str, str]:
    version = spec.identity.get(spec.engine)
    return {"name": spec.engine, **({"version": str(version)} if version else {})}


def _texts(pairs: Mapping[str, Scalar]) -> dict[str, str]:
    return {key: str(value) for key, value in sorted(pairs.items())}


# -- numbers


def _result(run: SealedRun, measure: Measure) -> dict[str, Any]:
    name = measure.name if isinstance(measure, Aggregate) else measure.task
    return {
        "evaluation_result_id": f"{name}/{measure.metric}",
        "evaluation_name": name,
        "source_data": _source_data(name, measure, common_source(run, measure)),
        "metric_config": _metric_config(run, measure),
        "score_details": _score_details(run, measure),
        "generation_config": {"additional_details": _settings(run, measure)},
    }


def _source_data(name: str, measure: Measure, source: Source | None) -> dict[str, Any]:
    if source is None:
        members = {"members": ", ".join(measure.members)} if isinstance(measure, Aggregate) else {}
        return {"dataset_name": name, "source_type": "other", **({"additional_details": members} if members else {})}
    pin = source.pin
    is_whole = isinstance(measure, Estimate)  # a mean's tasks may be of several configurations
    details = {"config": pin.config, "fingerprint": pin.fingerprint} if is_whole else {}
    told = {key: value for key, value in {**details, "revision": pin.revision}.items() if value}
    more = {"additional_details": told} if told else {}
    if source.url:
        return {"dataset_name": pin.path, "source_type": "url", "url": [source.url], **more}
    if not source.hub_id:
        return {"dataset_name": pin.path, "source_type": "other", **more}
    rows = {"samples_number": pin.num_rows} if is_whole else {}
    return {"dataset_name": pin.path, "source_type": "hf_dataset", "hf_repo": source.hub_id, "hf_split": pin.split,
            **rows, **more}  # fmt: skip


def _metric_config(run: SealedRun, measure: Measure) -> dict[str, Any]:
    """Limits stand where they are known: without them a metric cannot be called continuous there."""
    bounds = _bounds(run, measure)
    limits = {"score_type": "continuous", "min_score": bounds[0], "max_score": bounds[1]} if bounds else {}
    is_share = bounds == (0.0, 1.0)
    judges = {"llm_scoring": _judges(run)} if run.result.spec.judged else {}
    alias = {"alias": measure.alias} if isinstance(measure, Estimate) and measure.alias else {}
    return {
        "metric_id": f"{COLLECTION}.{measure.metric}",
        "metric_name": measure.metric,
        **({"metric_unit": "proportion"} if is_share else {}),
        "lower_is_better": not measure.higher_is_better,
        **limits,
        **judges,
        "additional_details": {"protocol": measure.protocol, "signature": measure.signature, **alias},
    }


def _bounds(run: SealedRun, measure: Measure) -> tuple[float, float] | None:
    """The range of a metric; of a mean that which all its parts have."""
    if isinstance(measure, Estimate):
        return measure.bounds
    is_mixed = measure.kind == "suite"
    parts = [one for one in run.result.estimates if one.task in measure.members]
    found = {one.bounds for one in parts if (one.is_primary if is_mixed else one.metric == measure.metric)}
    return found.pop() if len(found) == 1 else None


def _score_details(run: SealedRun, measure: Measure) -> dict[str, Any]:
    error = {} if measure.stderr is None else {"standard_error": {"value": measure.stderr, "method": "jackknife"}}
    interval = {} if measure.low is None or measure.high is None else {
        "confidence_interval": {"lower": measure.low, "upper": measure.high, "confidence_level": _CONFIDENCE,
                                "method": measure.interval}
    }  # fmt: skip
    return {
        "score": measure.value,
        "details": _details(run, measure),
        "uncertainty": {**error, **interval, "num_samples": measure.n},
    }


def _details(run: SealedRun, measure: Measure) -> dict[str, str]:
    """What a reader of the number must know and the schema has no field for."""
    tasks = measure.members if isinstance(measure, Aggregate) else (measure.task,)
    found = {
        "num_clusters": measure.num_clusters,
        "num_unscored": measure.num_unscored,
        "best_case": measure.best_case,
        "worst_case": measure.worst_case,
        "chance": measure.chance,
        "partial": partial_text(run, tasks) or None,
        "is_headline": str(measure.is_primary).lower(),
    }
    return {key: str(value) for key, value in found.items() if value is not None}


def _settings(run: SealedRun, measure: Measure) -> dict[str, str]:
    """How it was asked: exemplars, conversation or text, what the user changed."""
    spec = run.result.spec
    tasks = measure.members if isinstance(measure, Aggregate) else (measure.task,)
    shots = sorted({run.spec_of(task).num_fewshot for task in tasks})
    chats = {run.spec_of(task).chat for task in tasks}
    limit = {} if spec.limit is None else {"limit": f"{spec.limit:g}, {spec.limit_mode}"}
    return {
        "num_fewshot": ", ".join(map(str, shots)),
        **({"is_chat": str(chats.pop()).lower()} if len(chats) == 1 else {}),
        **limit,
        **({"system_instruction": spec.system_instruction} if spec.system_instruction else {}),
        **_texts(spec.generation),
    }


# -- judges


def _judges(run: SealedRun) -> dict[str, Any]:
    """Who judged and by which rules. Their wording is no part of a run as a template: its name stands for it."""
    spec = run.result.spec
    judged = spec.judged
    assert judged is not None
    is_jury = spec.model.engine == JURY
    jurors = _jurors(spec.model) if is_jury else ()
    infos = [_model_info(name, None) for name in jurors] or [_model_info(spec.model.name, spec.model)]
    rule = _JURY_RULES.get(str(spec.model.identity.get("rule")), "") if is_jury else ""
    return {
        "judges": [{"model_info": info} for info in infos],
        "input_prompt": f"evalsuite judge {judged.judge}, version {judged.version}",
        **({"aggregation_method": rule} if rule else {}),
        "additional_details": {
            "judged_runs": ", ".join(judged.runs),
            "judged_models": ", ".join(judged.models),
            **_texts(judged.options),
        },
    }  # fmt: skip


def _jurors(spec: ModelSpec) -> tuple[str, ...]:
    """The models of a jury by its name; none where that does not tell them apart."""
    names = spec.name.removeprefix("jury of ").rpartition(" (")[0].split(", ")
    return tuple(names) if len(names) == len(str(spec.identity.get("runs", "")).split(",")) else ()
