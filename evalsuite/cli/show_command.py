"""``evalsuite show``: one sample exactly as it is sent."""

from __future__ import annotations

import argparse

from evalsuite.asking import first_requests, settings_of
from evalsuite.building import PreparedTask
from evalsuite.cli.output import print_json
from evalsuite.cli.run_options import add_run_options, config_from
from evalsuite.contracts import Metric
from evalsuite.errors import UnknownSample
from evalsuite.prepare import prepare
from evalsuite.text.visible import printable
from evalsuite.types import GenerateRequest, LoglikelihoodRequest, Request, Sample


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``show``."""
    add_run_options(parser)
    parser.add_argument("--sample", metavar="ID", help="the sample's id, <task>:<split>:<row> (default: the first)")


def execute(options: argparse.Namespace) -> int:
    """Print the first wave's requests of one sample, with the model's own chat template where one is used."""
    prepared = prepare(config_from(options, {"model": "scripted"}))
    entry, sample = _find(prepared.tasks, options.sample)
    requests = first_requests(entry.task, sample, settings_of(prepared.spec))
    texts = [prepared.engine.render(request) for request in requests]
    print(f"{sample.id}   language {sample.language}   category {sample.category or '–'}   cluster {sample.cluster_id}")
    print(f"target: {printable(sample.target) or '–'}")
    print(f"protocol {entry.task.protocol}, {entry.task.num_fewshot}-shot; source: {entry.task.source}")
    for metric in entry.task.metrics:
        print(f"metric {describe_metric(metric, sample)}")
    for number, (request, text) in enumerate(zip(requests, texts, strict=True), start=1):
        print(f"\n--- request {number} of {len(requests)}: {_describe(request)}\n{printable(text)}")
    if options.json:
        print_json(
            {
                "sample_id": sample.id,
                "language": sample.language,
                "target": sample.target,
                "requests": [
                    {"kind": _kind(request), "text": text} for request, text in zip(requests, texts, strict=True)
                ],
            }
        )
    return 0


def _find(tasks: tuple[PreparedTask, ...], sample_id: str | None) -> tuple[PreparedTask, Sample]:
    known = {sample.id: (entry, sample) for entry in tasks for sample in entry.samples}
    if sample_id is None:
        return next(iter(known.values()))
    if sample_id not in known:
        raise UnknownSample(sample_id, known)
    return known[sample_id]


def describe_metric(metric: Metric, sample: Sample) -> str:
    """Name, the protocol's own name, direction, and what guessing would score on this sample."""
    alias = f" (the protocol's {metric.alias})" if metric.alias else ""
    direction = "higher is better" if metric.higher_is_better else "lower is better"
    chance = f", chance {metric.scale * metric.chance(sample):.1f}" if metric.chance else ""
    return f"{metric.name}{alias}: {direction}{chance}"


def _kind(request: Request) -> str:
    return str(type(request).__struct_config__.tag)


def _describe(request: Request) -> str:
    match request:
        case GenerateRequest():
            stops = ", ".join(repr(stop) for stop in request.stop) or "none"
            return f"generate up to {request.max_tokens} tokens, temperature {request.temperature}, stops {stops}"
        case LoglikelihoodRequest():
            return f"log-likelihood of {request.continuation!r}"
    return "log-likelihood of the whole text"
