"""Functions that exercise Python's constructs and their order of evaluation.

Each takes ``e``, a function that logs a tag and returns the value given with it, and numbers. `CASES` names the functions,
`ARGUMENTS` the numbers.
"""

from source_corpus import calls, control, expressions
from source_corpus.calls import Base, Derived
from source_corpus.helpers import Box, Truth, loud, manager

__all__ = ["ARGUMENTS", "CASES", "Base", "Box", "Derived", "Truth", "loud", "manager"]

CASES = [*expressions.CASES, *control.CASES, *calls.CASES]

ARGUMENTS = [(0, 0), (1, 0), (0, 1), (1, 1), (2, 1), (1, 2), (3, 2), (2, 3)]
