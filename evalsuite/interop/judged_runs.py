"""Imported judgments as sealed judge runs: shown, compared and exported like those that were made here."""

from __future__ import annotations

from collections.abc import Mapping

from evalsuite.interop.imported import ImportedSettings, ImportedTask, seal_imported
from evalsuite.interop.judged import Judged
from evalsuite.outcomes import Sealed
from evalsuite.records import IMPORT_FORMAT, JudgedSpec
from evalsuite.types import Completion, GenerateRequest, Item, Response, Scalar

_UNNAMED = "unnamed judge"


def seal_judged(found: Judged, format_name: str, files_sha256: str) -> Sealed:
    """The run of one model's judgments by one judge, read from files of `format_name` that hash to `files_sha256`.

    Which answers were judged, and when, the files do not say.
    """
    items = {sample_id: _items(sample_id, asked) for sample_id, asked in found.asked.items()}
    rival = f" vs {found.against}" if found.against else ""
    task = ImportedTask(
        name=found.benchmark,
        family=found.benchmark,
        protocol=f"{found.protocol}{rival}",
        metrics=found.metrics,
        samples=tuple(sample for sample, _ in found.outcomes),
        outcomes=tuple(outcome for _, outcome in found.outcomes),
        num_available=max(found.coverage.expected, len(found.outcomes)),
        language="en",
        is_chat=True,
        items=items,
        responses={sample_id: tuple(map(_reply, asked)) for sample_id, asked in found.asked.items()},
    )
    identity: Mapping[str, Scalar] = {
        IMPORT_FORMAT: format_name,
        "samples_sha256": files_sha256,
        **({"templates": ", ".join(found.templates)} if found.templates else {}),
    }
    judged = JudgedSpec(
        judge=found.rubric,
        version=0,
        options={},
        runs=(),
        models=(found.model, *((found.against,) if found.against else ())),
        answers_sha256="",
    )
    return seal_imported(ImportedSettings(found.judge or _UNNAMED, identity, judged=judged), [task])


def _items(sample_id: str, asked: tuple[tuple[str, str], ...]) -> tuple[Item, ...]:
    return tuple(
        Item(id=f"{sample_id}#1.{index}", sample_id=sample_id, wave=1,
             request=GenerateRequest(prompt=prompt, max_tokens=0))
        for index, (prompt, _) in enumerate(asked)
    )  # fmt: skip


def _reply(asked: tuple[str, str]) -> Response:
    return Completion(text=asked[1], stop_reason="unknown", num_prompt_tokens=0, num_tokens=0)
