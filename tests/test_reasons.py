"""The table of reasons, its page, and the errors that show them."""

from __future__ import annotations

import re
from pathlib import Path

from janus_mlir.capture.breaks import Break
from janus_mlir.errors import CaptureError, CompileError
from janus_mlir.locations import Span
from janus_mlir.reasons import CATEGORIES, REASONS, markdown, reason_line

ROOT = Path(__file__).parent.parent


def test_page_is_current() -> None:
    page = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
    assert page == markdown(), "run: python -m janus_mlir.reasons > docs/reasons.md"


def test_codes() -> None:
    for code, entry in REASONS.items():
        assert code == entry.code
        assert re.fullmatch(r"JN[1-7]\d\d", code)
        assert entry.category == CATEGORIES[code[2]]
        assert entry.title and entry.explanation.endswith(".") and entry.hint.endswith((".", "."))


def test_codes_in_the_source_are_registered() -> None:
    for path in (ROOT / "janus_mlir").rglob("*.py"):
        for code in re.findall(r'"(JN\d{3})"', path.read_text(encoding="utf-8")):
            assert code in REASONS, f"{path}: {code}"


def test_capture_error_shows_the_source() -> None:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    number = next(i for i, line in enumerate(lines, 1) if line.startswith("ROOT"))
    span = Span(__file__, number, 7, number, 21)
    error = CaptureError("JN301", "call of Path", span, function="f")
    assert str(error).splitlines() == [
        "JN301 call of a builtin or C function: call of Path",
        f'  File "{__file__}", line {number}, in f',
        "    ROOT = Path(__file__).parent.parent",
        "           ^^^^^^^^^^^^^^",
        f"Hint: {REASONS['JN301'].hint}",
    ]


def test_other_errors() -> None:
    assert (
        str(Break("JN201", "class C")) == reason_line("JN201", "class C") == "JN201 class definition: class C"
    )
    assert str(CompileError("boom", phase="linalg")) == "JN701 compiler pass failed in phase 'linalg'\nboom"
