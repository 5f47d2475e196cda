"""The exceptions by which capture says that something is not compiled, or raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from janus_mlir.reasons import reason_line

__all__ = ["Break", "Failed"]


class Break(Exception):
    """Says that a statement (or function) is not compiled, for the coded reason; Python runs it.

    Attributes
    ----------
    reason_code : str
        A code of `janus_mlir.reasons`.
    detail : str
        What exactly stood in the way.
    """

    def __init__(self, reason_code: str, detail: str = "") -> None:
        super().__init__(reason_code, detail)
        self.reason_code = reason_code
        self.detail = detail

    def __str__(self) -> str:
        return reason_line(self.reason_code, self.detail)


class Failed(Break):
    """Says that the user's operation raises an exception, for certain; captured code may handle it.

    Attributes
    ----------
    cls : type
        The class of the exception.
    operands : tuple
        Its ``args``: constants or abstract values.
    """

    def __init__(self, cls: type[BaseException], *operands: Any) -> None:
        super().__init__("JN208", cls.__name__ + "".join(f": {o}" for o in operands if isinstance(o, str)))
        self.cls = cls
        self.operands = operands

    @classmethod
    def of(cls, error: BaseException) -> Break:
        """Return what stands for an exception that Python has raised for the same operands."""
        plain = all(a is None or type(a) in (str, int, float, bool, bytes) for a in error.args)
        if not plain or type(error).__module__ != "builtins":
            return Break("JN208", f"{type(error).__name__}: {error}")
        return cls(type(error), *error.args)

    @classmethod
    def by(cls, function: Callable[..., Any], *args: Any) -> Failed:
        """Return what stands for the exception that `function` raises for `args`: its words depend on Python."""
        try:
            function(*args)
        except Exception as error:  # whatever it is: that is the question
            return cls(type(error), *error.args)
        raise AssertionError(f"{function} raises nothing")


class NotJoinable(Exception):
    """Two states cannot be represented by one."""
