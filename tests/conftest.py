"""What all tests share: no network, one cache for the converted model, and how missing data is treated."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
settings.register_profile("untimed", deadline=None)  # a busy machine must not fail a test
settings.load_profile("untimed")
pytest.register_assert_rewrite("browsing")  # what helpers assert is told as what tests assert is


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The benchmark mirror. Absent, tests that need it fail under CI and are skipped elsewhere."""
    path = os.environ.get("EVALSUITE_DATA", "")
    if path and Path(path).is_dir():
        return Path(path)
    reason = "needs the benchmark mirror: set EVALSUITE_DATA"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def reference(mirror: Path) -> Path:
    """The published tables beside the mirror; absent, as with the mirror."""
    path = mirror.parent / "reference"
    if path.is_dir():
        return path
    reason = "needs the published tables beside the benchmark mirror"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Torch with one thread: two on rows of a few tokens mostly wait for one another."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"{CHROMIUM} is not there")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()
