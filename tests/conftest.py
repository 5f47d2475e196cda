"""Fixtures of more than one folder."""

import os
import shutil
import sysconfig
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def janus_opt() -> str:
    """The installed driver, or that of a development build."""
    folders = [sysconfig.get_path("scripts"), str(REPOSITORY / "build" / "bin")]
    found = shutil.which("janus-opt", path=os.pathsep.join(folders))
    assert found, f"janus-opt is in none of {folders}"
    return found
