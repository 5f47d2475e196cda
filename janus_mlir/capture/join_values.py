"""What joining states says of single values: names for messages, choices among arrays, facts about live objects."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TypeGuard

from janus_mlir.capture.graph import Value
from janus_mlir.capture.state import Fact, State
from janus_mlir.capture.values import Abstract, JaxArray, Known, Null

#: What an array made by the call was read from.
NULL = Null()


@dataclass(frozen=True, slots=True)
class Phi:
    """A value that depends on the way taken: operands are graph values, or numbers still to be materialised."""

    value: Value
    a: object
    b: object


class Choices(enum.Enum):
    """What may become a choice where it differs."""

    NONE = "nothing"
    #: Everything but a number of another kind, or a variable that may be unbound.
    OBJECTS = "objects"
    ALL = "everything"


def joined_facts(a: State, b: State) -> dict[int, Fact]:
    """Return what is known of live objects on both ways."""
    joined = {}
    for uid, one in a.facts.items():
        two = b.facts.get(uid)
        if two is not None:
            value = one.value if one.value is two.value else None
            joined[uid] = Fact(one.kinds | two.kinds, one.proven and two.proven, value)
    return joined


def which_array(value: JaxArray) -> Value | Abstract:
    """Return the id of the outside array that `value` is, 0 if it was made by the captured code."""
    if value.choice is not None:
        return value.choice
    return Known(value.id if value.source is not None else 0)


def is_str(value: Abstract) -> TypeGuard[Known]:
    """Whether a value is a constant string."""
    return isinstance(value, Known) and type(value.value) is str


def describe(value: Abstract) -> str:
    if isinstance(value, Known):
        return f"{value.value!r:.40}"
    names = {
        "JaxArray": "a JAX array",
        "NumpyArray": "a NumPy array",
        "ListRef": "a list",
        "Number": "a number",
    }
    return names.get(type(value).__name__, type(value).__name__)
