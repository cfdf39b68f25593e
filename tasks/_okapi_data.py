"""Where the rows of the Okapi translations are, and what they hash to, at the pinned commit."""

from __future__ import annotations

from evalsuite.contracts import Dataset

SOURCE = "Lai et al. 2023, arXiv 2307.16039"
LICENCE = "CC BY-NC 4.0 or ODC-By"
LANGUAGES = ("zh", "fr", "ar", "es", "hi")
_COMMIT = "10cb5292748e882c22db7eed49a380089645c4c2"
_FOLDER = f"https://raw.githubusercontent.com/laiviet/lm-evaluation-harness/{_COMMIT}/datasets"
_FINGERPRINTS = {
    ("m_arc", "zh", "test"): "f67e738d50786b920fb0cf1dd95139b7f1ec0b4d1bb0d71397d806f68fd4b051",
    ("m_arc", "zh", "validation"): "b311f304f686386ed4953361040bc42a0c747436198f7c4b4ec0d15812dc5686",
    ("m_arc", "fr", "test"): "017720ee484dcbf57980d0a10f6c93735c1717ba136a5e2f63647b62e687123d",
    ("m_arc", "fr", "validation"): "3e44f8c6febba5a1a568d5b4b9ec17ce2d2763b04f75334a3618d94f7d1ce401",
    ("m_arc", "ar", "test"): "4b032ffe9cc85468a3ddbe3f09bc40c4c2dd05f503f44289a1af40dba5e7b691",
    ("m_arc", "ar", "validation"): "a743d28b7a676ae7d0a84b8e5b4bdc6bab9ea7aa61f569a5ed92eb36a167a662",
    ("m_arc", "es", "test"): "9ef61f4fe7ee927c2d4d1de1145d69a8432c70955b4976ecf7ac193c36de95bd",
    ("m_arc", "es", "validation"): "7ebda1a5f9f1a81dae1f03eb6cca0cbfdc1b562be2f2fedd1df5e43331ee4bf0",
    ("m_arc", "hi", "test"): "cc4b49507e12067bf23e4be607858552857c35662abe1df4390f0e61b6c21f40",
    ("m_arc", "hi", "validation"): "3fc92449925e1ef8955aebb108fe077038e3c58b6a6987a99a635c021b21f035",
    ("m_mmlu", "zh", "val"): "ec3e7688997f5d525bb8c9bab800ba8d16b16afc706f4a7718252f7f1955bc73",
    ("m_mmlu", "zh", "dev"): "cd9c8f0d3c856303cfb157e0997e77489196fe7c27073a7bb01a74ef2ba53280",
    ("m_mmlu", "fr", "val"): "bc84db0656876101012ec185413dd2665b526c6c6f5219ae4e82f22e289e1897",
    ("m_mmlu", "fr", "dev"): "ba1ec9365dd8c761bc187c0ac58994ca03456984ab76366ddff3870ff2a616f5",
    ("m_mmlu", "ar", "val"): "b10f33d27f4d8872a5f49d45c1bdf626143ce8841d26717d933f8a455d876820",
    ("m_mmlu", "ar", "dev"): "cefc876c281e41dc7af46b70fd33d898b5b742b30e935191eb6aab3d60f854b1",
    ("m_mmlu", "es", "val"): "f0504082001a0b3f61997ed0ee2e772f2eb31b60466963ceee8468743f7523d0",
    ("m_mmlu", "es", "dev"): "b1fb7bf2046e460a773bc0c74eefe8a98a533a0fbf7f2cafcd9023bd829b8d15",
    ("m_mmlu", "hi", "val"): "6b5f19c15e239c20805cc6ed7b260e1023bb60eee89c9c327defc20cf716999c",
    ("m_mmlu", "hi", "dev"): "211fb9b5d753313a26d59429cfaa6eca3ca36af6c18ff8542d8faf47e7a29321",
    ("m_truthfulqa", "zh", "validation"): "ea616caca4eb071e1dcf1b11d15ddaa5f50f3ac14c1fb74c2a388768d92c7fcb",
    ("m_truthfulqa", "fr", "validation"): "964def0d2f379e576673ae762e45694d7593132ff10d8e91782434ac39aaed57",
    ("m_truthfulqa", "ar", "validation"): "a333034d1a7edc185d2efd76fda8c44954a1a81d07c8962fac6b9d36cdb9ac17",
    ("m_truthfulqa", "es", "validation"): "23461aa96d3a884b932f4c5e934e5507b4cc4b7a1ebabba23033fc56c389ec9d",
    ("m_truthfulqa", "hi", "validation"): "af19e15040617f7fa07ceb9f4ac37763a17addadf91c755ca541cdc44d5a6413",
}


def dataset(config: str, language: str, split: str) -> Dataset:
    """The rows of one set (``m_arc``), language and split."""
    return Dataset(
        "nlp-uoregon/okapi",
        f"{config}/{language}",
        split,
        _COMMIT,
        _FINGERPRINTS[config, language, split],
        url=f"{_FOLDER}/{config}/{language}_{split}.json",
    )
