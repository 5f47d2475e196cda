"""What joining states says of single values: names for messages, choices among arrays, facts about live objects."""

from __future__ import annotations

from janus_mlir.capture.graph import Value
from janus_mlir.capture.state import Fact, State
from janus_mlir.capture.values import Abstract, JaxArray, Known, Null

#: What an array made by the call was read from.
NULL = Null()


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
