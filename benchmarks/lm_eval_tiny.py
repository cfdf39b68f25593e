"""Tasks in lm-eval's form on rows written here, for kinds of which a mirror of benchmarks has none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TASKS = ("local_text", "local_words", "local_translation", "local_pairs", "local_group")

_HEAD = """task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/{rows}.json}}}}
test_split: test
"""
_FILES = {
    "local_text": (
        "text",
        'output_type: loglikelihood_rolling\ndoc_to_text: ""\ndoc_to_target: "{{text}}"\nmetric_list:\n'
        "  - {metric: word_perplexity}\n  - {metric: byte_perplexity}\n  - {metric: bits_per_byte}\n",
    ),
    "local_words": (
        "text",
        "output_type: loglikelihood\ndoc_to_text: \"{{text.split(' ')[:-1]|join(' ')}}\"\n"
        "doc_to_target: \"{{' '+text.split(' ')[-1]}}\"\nmetric_list:\n"
        "  - {metric: perplexity, aggregation: perplexity, higher_is_better: false}\n"
        "  - {metric: acc, aggregation: mean, higher_is_better: true}\n",
    ),
    "local_translation": (
        "pairs",
        'output_type: generate_until\ndoc_to_text: "French: {{french}}\\nEnglish:"\ndoc_to_target: " {{english}}"\n'
        'fewshot_split: test\nnum_fewshot: 2\ngeneration_kwargs: {until: ["\\n"], do_sample: false}\nmetric_list:\n'
        "  - {metric: bleu}\n  - {metric: chrf}\n  - {metric: ter}\n",
    ),
    "local_pairs": (
        "pairs",
        'output_type: multiple_choice\ndoc_to_text: "{{english}} Is it about food?"\ndoc_to_choice: ["no", "yes"]\n'
        "doc_to_target: label\nmetric_list:\n  - {metric: acc}\n  - {metric: f1}\n  - {metric: mcc}\n"
        "  - {metric: acc_mutual_info}\n",
    ),
    "local_arabic": (
        "arabic",
        'output_type: multiple_choice\ndoc_to_text: "السؤال: {{question}}\\nالجواب:"\ndoc_to_choice: "{{choices}}"\n'
        "doc_to_target: answer\nmetric_list:\n  - {metric: acc}\n  - {metric: acc_norm}\n",
    ),
    "local_hindi": (
        "hindi",
        'output_type: multiple_choice\ndoc_to_text: "प्रश्न: {{question}}\\nउत्तर:"\ndoc_to_choice: "{{choices}}"\n'
        "doc_to_target: answer\nmetric_list:\n  - {metric: acc}\n  - {metric: acc_norm}\n",
    ),
}  # fmt: skip
_GROUP = """group: local_group
task:
  - local_hindi
  - group: local_inner
    task: [local_arabic, local_pairs]
    aggregate_metric_list: [{metric: acc, weight_by_size: true}]
aggregate_metric_list:
  - {metric: acc, aggregation: mean, weight_by_size: false}
metadata: {version: 1.0}
"""
_ROWS: dict[str, list[dict[str, Any]]] = {
    "text": [
        {"text": "The old lighthouse keeper climbed the stairs every evening and lit the lamp."},
        {"text": "Rain fell on the market square, and the traders packed their baskets in a hurry."},
        {"text": "She opened the letter, read it twice, and put it back into the drawer without a word."},
        {"text": "In spring the river carries ice and branches down to the harbour."},
        {"text": "Nobody in the village could remember a winter as long and as white."},
    ],
    "pairs": [
        {"french": "Le pain est sur la table.", "english": "The bread is on the table.", "label": 1},
        {"french": "Il pleut depuis ce matin.", "english": "It has been raining since this morning.", "label": 0},
        {"french": "Nous mangeons une soupe chaude.", "english": "We are eating a hot soup.", "label": 1},
        {"french": "Le train part à midi.", "english": "The train leaves at noon.", "label": 0},
        {"french": "Ma soeur aime les pommes.", "english": "My sister likes apples.", "label": 1},
        {"french": "La porte est fermée.", "english": "The door is closed.", "label": 0},
    ],
    "arabic": [
        {"question": "ما لون السماء في النهار؟", "choices": ["أزرق", "أخضر", "أحمر"], "answer": 0},
        {"question": "كم عدد أيام الأسبوع؟", "choices": ["خمسة", "سبعة", "عشرة"], "answer": 1},
        {"question": "أين يعيش السمك؟", "choices": ["في الهواء", "في النار", "في الماء"], "answer": 2},
        {"question": "ما عاصمة فرنسا؟", "choices": ["باريس", "روما", "مدريد"], "answer": 0},
    ],
    "hindi": [
        {"question": "सूरज कहाँ से निकलता है?", "choices": ["पूर्व", "पश्चिम"], "answer": 0},
        {"question": "दो और दो कितने होते हैं?", "choices": ["तीन", "चार"], "answer": 1},
        {"question": "भारत की राजधानी क्या है?", "choices": ["दिल्ली", "मुंबई"], "answer": 0},
    ],
}  # fmt: skip


def write(folder: Path) -> None:
    """The tasks' files and rows in `folder`."""
    for name, rows in _ROWS.items():
        (folder / f"{name}.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    for name, (rows, text) in _FILES.items():
        head = _HEAD.format(name=name, folder=folder, rows=rows)
        (folder / f"{name}.yaml").write_text(head + text, encoding="utf-8")
    (folder / "local_group.yaml").write_text(_GROUP, encoding="utf-8")
