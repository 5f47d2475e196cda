"""Calls of builtins: importing this package part fills the table."""

from janus_mlir.capture import classes
from janus_mlir.capture.builtins import basic as builtin_basic
from janus_mlir.capture.builtins import iterators as builtin_iterators
from janus_mlir.capture.builtins import itertools as builtin_itertools
from janus_mlir.capture.builtins import math as builtin_math
from janus_mlir.capture.builtins import numbers as builtin_numbers
from janus_mlir.capture.builtins import numpy as builtin_numpy
from janus_mlir.capture.builtins import text as builtin_text
from janus_mlir.capture.builtins.itertools import call_getter
from janus_mlir.capture.builtins.table import call_builtin, handles
from janus_mlir.capture.construction import construct
from janus_mlir.capture.library import arrays as library_numpy
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
