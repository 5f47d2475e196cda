"""Calls of builtins: importing this package part fills the table."""

from janus_mlir.capture import (
    builtin_basic,
    builtin_iterators,
    builtin_itertools,
    builtin_math,
    builtin_numbers,
    builtin_numpy,
    builtin_text,
    classes,
    library_numpy,
)
from janus_mlir.capture.builtin_itertools import call_getter
from janus_mlir.capture.builtin_table import call_builtin, handles
from janus_mlir.capture.construction import construct
from janus_mlir.capture.members import call_member

__all__ = [
    "builtin_basic",
    "builtin_iterators",
    "builtin_itertools",
    "builtin_math",
    "builtin_numbers",
    "builtin_numpy",
    "builtin_text",
    "classes",
    "library_numpy",
    "call_builtin",
    "call_getter",
    "call_member",
    "construct",
    "handles",
]
