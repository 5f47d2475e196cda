"""Parsing and compiling Python sources where several threads may do so at once."""

from __future__ import annotations

import ast
import threading
import types
import warnings
from collections.abc import Callable
from typing import Final, TypeVar

__all__ = ["compile_file", "compile_tree", "parse"]

# Up to 3.12 CPython keeps the depth of the syntax tree that it converts per interpreter: two threads that convert
# at once (where the collector of garbage calls Python, another gets its turn) find each other's and raise
# SystemError. Ours wait for each other; a thread of the user's may still come between, which a second try settles.
_TURN: Final = threading.RLock()
_TRIES: Final = 4

_Made = TypeVar("_Made")


def _in_turn(make: Callable[[], _Made]) -> _Made:
    with _TURN:
        for _ in range(_TRIES - 1):
            try:
                return make()
            except SystemError:
                continue
        return make()


def parse(text: str) -> ast.Module:
    """Parse source text (raises SyntaxError)."""
    return _in_turn(lambda: ast.parse(text))


def compile_tree(tree: ast.Module, filename: str, flags: int) -> types.CodeType:
    """Compile a syntax tree under exactly the given ``__future__`` flags."""
    made: types.CodeType = _in_turn(lambda: compile(tree, filename, "exec", flags=flags, dont_inherit=True))
    return made


def compile_file(text: str, filename: str, flags: int) -> tuple[ast.Module, types.CodeType]:
    """Parse and compile the text of a file that Python has compiled before, and given its warnings of."""
    with _TURN, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = _in_turn(lambda: ast.parse(text, filename))
        return tree, compile_tree(tree, filename, flags)
