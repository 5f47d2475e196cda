"""How far joins may go, and how values are named where they cannot be joined."""

from __future__ import annotations

import enum

from janus_mlir.capture.graph import Value
from janus_mlir.capture.values import Abstract, JaxArray, Known


class Choices(enum.Enum):
    """What may become a choice where it differs."""

    NONE = "nothing"
    #: Everything but a number of another kind, or a variable that may be unbound.
    OBJECTS = "objects"
    ALL = "everything"


def describe(value: Abstract) -> str:
    if isinstance(value, Known):
        return f"{value.value!r:.40}"
    return {
        "JaxArray": "a JAX array",
        "NumpyArray": "a NumPy array",
        "ListRef": "a list",
        "Number": "a number",
    }.get(type(value).__name__, type(value).__name__)


def which_of(value: JaxArray) -> Value | Abstract:
    """Return the id of the outside array that `value` is, 0 if it was made by the captured code."""
    if value.choice is not None:
        return value.choice
    return Known(value.id if value.source is not None else 0)


def constant_of(value: Abstract | None) -> object:
    return value.value if isinstance(value, Known) else value


#: What an array made by the call was read from.
_NULL = Null()
