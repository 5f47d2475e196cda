from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from janus_mlir._native import _runtime

from .native import SCRIPT_PROGRAM, Entries, jit


@pytest.fixture(scope="session")
def entries(tmp_path_factory: pytest.TempPathFactory) -> Entries:
    return Entries(tmp_path_factory.mktemp("entries"))


@pytest.fixture
def scripted(entries: Entries) -> Callable[..., Any]:
    """Make a function of one script, with the given sites; further arguments are its objects."""

    def make(*sites: tuple[Any, ...], names: tuple[str, ...] = (), **kwargs: Any) -> _runtime.JitFunction:
        slots = 1 + len(names)
        version = _runtime.Version(
            entries.run_script, slots, SCRIPT_PROGRAM, list(range(1, slots)), list(sites), None
        )
        return jit(("script", *names), version, **kwargs)

    return make
