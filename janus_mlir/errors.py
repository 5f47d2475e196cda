"""The exceptions that Janus itself raises."""

from __future__ import annotations

from janus_mlir.locations import Span, caret_snippet
from janus_mlir.reasons import reason, reason_line

__all__ = ["CaptureError", "CompileError", "JanusError"]


class JanusError(Exception):
    """Base of all errors that come from Janus and not from the user's program."""


class CaptureError(JanusError):
    """Something in the user's function is not compiled, and strict mode forbids falling back.

    Parameters
    ----------
    code : str
        A code of `janus_mlir.reasons`.
    detail : str
        What this particular place does; empty if the reason's title says it all.
    span : Span, optional
        Where in the user's source.
    function : str, optional
        Name of the function, as a traceback shows it.
    hint : str, optional
        Overrides the hint of the reason.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        span: Span | None = None,
        *,
        function: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(code, detail, span)
        self.code = code
        self.detail = detail
        self.span = span
        self.function = function
        self.hint = reason(code).hint if hint is None else hint

    def __str__(self) -> str:
        lines = [reason_line(self.code, self.detail)]
        if self.span is not None:
            place = f'  File "{self.span.filename}", line {self.span.line}'
            lines.append(f"{place}, in {self.function}" if self.function else place)
            snippet = caret_snippet(self.span)
            if snippet:
                lines.append(snippet)
        if self.hint:
            lines.append(f"Hint: {self.hint}")
        return "\n".join(lines)


class CompileError(JanusError):
    """The compiler failed on code that was captured.

    Parameters
    ----------
    message : str
        What failed, with the compiler's own diagnostics.
    phase : str, optional
        The phase it failed in.
    code : str
        A code of `janus_mlir.reasons`, of the group JN7xx.
    """

    def __init__(self, message: str, *, phase: str | None = None, code: str = "JN701") -> None:
        super().__init__(message)
        self.message = message
        self.phase = phase
        self.code = code

    def __str__(self) -> str:
        where = f" in phase {self.phase!r}" if self.phase else ""
        return f"{reason_line(self.code)}{where}\n{self.message}"
