"""Python environments in which evalsuite's own wheel is installed beside packages of others."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from commands import Ran

OFFLINE = {
    "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "HF_HUB_OFFLINE": "1", "PYTHONPATH": "",
}  # fmt: skip
"""What lets ``pip install`` in documents run as it stands without any index; 0 is pip's way to say yes to that one."""

PIP = "#!{python}\nfrom pip._internal.cli.main import main\n\nraise SystemExit(main())\n"


@dataclass(frozen=True)
class Environment:
    """A Python environment: its folder, and what commands in it see besides this one's variables."""

    home: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, *command: object, cwd: Path, timeout_s: float = 600) -> Ran:
        """A command to its end, the environment's own programs first."""
        path = f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [self._program(str(command[0])), *map(str, command[1:])],
            cwd=cwd, env={**os.environ, **OFFLINE, **self.variables, "PATH": path}, capture_output=True, text=True,
            timeout=timeout_s, check=False,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    def _program(self, name: str) -> str:
        own = self.home / "bin" / name
        return str(own) if own.exists() else name


def fresh_environment(home: Path, wheel: Path) -> Environment:
    """An environment with the wheel alone, which sees the packages that run the tests, pip and setuptools too."""
    venv.create(home, with_pip=False, system_site_packages=False)
    site = next((home / "lib").glob("python*")) / "site-packages"
    links = home / "dependencies"
    links.mkdir()
    _link_packages(links)
    (site / "dependencies.pth").write_text(str(links), encoding="utf-8")
    pip = home / "bin" / "pip"
    pip.write_text(
        f"#!{home}/bin/python\nfrom pip._internal.cli.main import main\n\nraise SystemExit(main())\n", encoding="utf-8"
    )
    pip.chmod(0o755)
    environment = Environment(home)
    done = environment.run("python", "-m", "pip", "install", "-q", wheel, cwd=home)
    assert done.code == 0, done.err
    return environment


def _link_packages(links: Path) -> None:
    """A link to every installed package but evalsuite itself."""
    for site in (Path(entry) for entry in sys.path if entry.endswith("site-packages")):
        for package in site.iterdir():
            if "evalsuite" not in package.name and package.suffix != ".pth" and not (links / package.name).exists():
                (links / package.name).symlink_to(package)
