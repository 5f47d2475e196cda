"""Fixtures of more than one folder, and the choice of a part of the tests."""

import os
import shutil
import sysconfig
import zlib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--part", metavar="K/N", help="only part K (from 0, modulo N) of the tests in N parts")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the other parts. Which part a test is of depends on its name alone."""
    wanted = config.getoption("--part")
    if wanted is None:
        return
    try:
        k, n = map(int, wanted.split("/"))
        part = {item: zlib.crc32(item.nodeid.encode()) % n == k % n for item in items}
    except (ValueError, ZeroDivisionError):
        raise pytest.UsageError(f"--part is K/N with N above 0, not {wanted!r}") from None
    config.hook.pytest_deselected(items=[item for item in items if not part[item]])
    items[:] = [item for item in items if part[item]]


@pytest.fixture(scope="session")
def janus_opt() -> str:
    """The installed driver, or that of a development build."""
    folders = [sysconfig.get_path("scripts"), str(REPOSITORY / "build" / "bin")]
    found = shutil.which("janus-opt", path=os.pathsep.join(folders))
    assert found, f"janus-opt is in none of {folders}"
    return found
