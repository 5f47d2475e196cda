"""Fixtures of the compiler's tests."""

import os
import shutil
import sysconfig
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def janus_opt() -> str:
    """The installed driver, or that of a development build."""
    folders = [sysconfig.get_path("scripts"), str(REPOSITORY / "build" / "bin")]
    found = shutil.which("janus-opt", path=os.pathsep.join(folders))
    assert found, f"janus-opt is in none of {folders}"
    return found


@pytest.fixture(scope="session")
def corpus() -> list[str]:
    """The modules of the lit tests, each between two `// -----` lines."""
    modules: list[str] = []
    for path in sorted((REPOSITORY / "lit_tests").rglob("*.mlir")):
        modules += path.read_text().split("// -----\n")
    assert modules
    return modules
