"""The exception by which capture says that something is not compiled."""

from __future__ import annotations

from janus_mlir.reasons import reason_line

__all__ = ["Break"]


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
