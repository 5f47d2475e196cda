"""Fixtures of the compiler's tests."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def corpus() -> list[str]:
    """The modules of the lit tests, each between two `// -----` lines."""
    modules: list[str] = []
    for path in sorted((REPOSITORY / "lit_tests").rglob("*.mlir")):
        modules += path.read_text().split("// -----\n")
    assert modules
    return modules
