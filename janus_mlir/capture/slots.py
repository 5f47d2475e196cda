"""Names of the methods behind operators, and which int a member of an enumeration is to them."""

from __future__ import annotations

import enum

from janus_mlir.capture.numbers import is_number
from janus_mlir.capture.values import Abstract, Known

SLOTS = {
    "add": "add", "sub": "sub", "mul": "mul", "matmul": "matmul", "truediv": "truediv", "floordiv": "floordiv",
    "mod": "mod", "pow": "pow", "lshift": "lshift", "rshift": "rshift", "and_": "and", "or_": "or", "xor": "xor",
}  # fmt: skip
REFLECTED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne"}
_PLAIN = frozenset({"builtins", "enum"})
_INT_METHODS = frozenset(
    {f"__{r}{slot}__" for slot in SLOTS.values() for r in ("", "r")} | {f"__{name}__" for name in REFLECTED}
)


def as_plain(value: Abstract, other: Abstract) -> Abstract:
    """Return the int in place of a member of an `enum.IntEnum` that meets a number."""
    if isinstance(value, Known) and isinstance(value.value, enum.IntEnum) and is_number(other):
        own = {
            name for cls in type(value.value).__mro__ if cls.__module__ not in _PLAIN for name in vars(cls)
        }
        return (
            value if any(n.startswith("__") and n in _INT_METHODS for n in own) else Known(int(value.value))
        )
    return value


__all__ = ["REFLECTED", "SLOTS", "as_plain"]
