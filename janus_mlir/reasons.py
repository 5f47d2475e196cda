"""The registry of coded reasons: why something stays in Python, or why compilation failed.

Every break, refusal and fallback that `explain()` shows names one of these codes. Codes are stable: their
text may be
improved, their meaning may not change. ``python -m janus_mlir.reasons`` prints ``docs/reasons.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["CATEGORIES", "REASONS", "Reason", "markdown", "reason", "reason_line"]


@dataclass(frozen=True, slots=True)
class Reason:
    """A coded reason.

    Attributes
    ----------
    code : str
        ``JN`` and three digits; the first one is the category.
    title : str
        A few words, lower case.
    explanation : str
        What Janus could not do, and what happens instead.
    hint : str
        What the user can change.
    """

    code: str
    title: str
    explanation: str
    hint: str

    @property
    def category(self) -> str:
        """The category that the code's first digit stands for."""
        return CATEGORIES[self.code[2]]


CATEGORIES: dict[str, str] = {
    "1": "source not readable",
    "2": "Python construct not captured",
    "3": "call into unknown code",
    "4": "array primitive or dtype not supported",
    "5": "value, alias or shape cannot be represented",
    "6": "policy",
    "7": "compiler failure",
}

_TABLE: tuple[Reason, ...] = (
    # ---- source not readable
    Reason(
        "JN101",
        "no source text",
        "Janus reads Python source, and none is stored for this function: it was made by exec, typed "
        "into a plain "
        "interactive prompt, or its file is gone. The function runs in Python.",
        "Define the function in a file or a notebook cell.",
    ),
    Reason(
        "JN102",
        "not a Python function",
        "The callable is not an ordinary Python function (a builtin, a C extension, a class or a "
        "callable object). It is called as it is.",
        "Decorate the Python function itself.",
    ),
    Reason(
        "JN103",
        "several lambdas cannot be told apart",
        "More than one lambda stands at this place of the source, and the code object does not say "
        "which one it is.",
        "Give each lambda its own line, or use def.",
    ),
    Reason(
        "JN104",
        "source does not match the running code",
        "The file was changed after it was imported, or the function was rewritten by a tool: what "
        "the source says is not what Python runs.",
        "Restart Python, or import the module again.",
    ),
    Reason(
        "JN105",
        "generator or coroutine",
        "Generators, async functions and async generators are not captured. They run in Python.",
        "Return a list, or move the array work into an ordinary function that the generator calls.",
    ),
    Reason(
        "JN106",
        "source cannot be parsed",
        "The stored source of this function is not valid Python by itself.",
        "Make the source available in a file.",
    ),
    # ---- Python construct not captured
    Reason(
        "JN201",
        "class definition",
        "A class is defined inside the function, and its body does more than define functions and constants, or "
        "the class (or an instance of it) outlives the call.",
        "Move the class to module level.",
    ),
    Reason(
        "JN202",
        "star import",
        "`from module import *` binds names that the source does not show.",
        "Import the names that are used.",
    ),
    Reason(
        "JN203",
        "yield or await",
        "The statement suspends the function; it runs in Python.",
        "Move the array work into an ordinary function.",
    ),
    Reason(
        "JN204",
        "deletion of a global or closure variable",
        "`del` of a name that is not a local of this function is left to Python.",
        "Assign None instead.",
    ),
    Reason(
        "JN205",
        "except*",
        "Exception groups are not captured; the try statement runs in Python.",
        "Use except.",
    ),
    Reason(
        "JN206",
        "comprehension variable captured by an inner function",
        "A lambda, generator expression or function inside a comprehension captures the "
        "comprehension's variable; the statement runs in Python.",
        "Write the comprehension as a for loop.",
    ),
    Reason(
        "JN207",
        "async construct",
        "async for, async with and async comprehensions are left to Python.",
        "Move the array work into an ordinary function.",
    ),
    Reason(
        "JN208",
        "exception raised",
        "The statement raises an exception that nothing in the captured code handles, or that is not modelled;"
        " Python raises it.",
        "Nothing to do if the exception is rare. Otherwise test the condition, or handle the exception within"
        " the function.",
    ),
    Reason(
        "JN209",
        "construct not captured",
        "Janus does not capture this construct; the statement runs in Python.",
        "Use a simpler construct here.",
    ),
    Reason(
        "JN210",
        "no resume point",
        "Python cannot be entered at this place (inside a with, finally or except block, or where "
        "inner functions rebind captured "
        "variables), so a failing guard restarts the call from its beginning, and effects are held back.",
        "Move the block into a function of its own.",
    ),
    Reason(
        "JN211",
        "variable may be unbound",
        "The variable is not bound on every way that leads here.",
        "Bind the variable before the branch or loop.",
    ),
    Reason(
        "JN212",
        "operation not captured",
        "The operator has no compiled form for these types.",
        "Use arrays or plain numbers here.",
    ),
    Reason(
        "JN213",
        "text of run-time values",
        "This operation on a string that is only known at run time is not captured.",
        "Use an f-string, or a method of strings with constant arguments.",
    ),
    Reason(
        "JN214",
        "key known at run time only",
        "Keys that are only known at run time are numbers, or tuples of such, and what is stored under them are "
        "numbers or arrays. A set of such elements has no order to go through it in.",
        "Use an array or a list with constant positions, or `sorted` to go through a set.",
    ),
    Reason(
        "JN215",
        "subscript not captured",
        "The container cannot be indexed this way in compiled code.",
        "Use an array instead of a list for run-time indices.",
    ),
    Reason(
        "JN216",
        "attribute not captured",
        "The attribute is computed by code that Janus does not follow.",
        "Use a plain attribute, a property or a method.",
    ),
    Reason(
        "JN217",
        "loop changes a type",
        "A variable has another type after an iteration than before, so that the loop has no single form.",
        "Initialise the variable with a value of its final type.",
    ),
    Reason(
        "JN218",
        "iteration not captured",
        "The iterable, or its length, is only known to Python.",
        "Iterate over a range, a list, a tuple or an array.",
    ),
    # ---- call into unknown code
    Reason(
        "JN301",
        "call of a builtin or C function",
        "The callee is neither Python with readable source nor an array function that Janus knows. It"
        " is called in Python, and compiled execution starts again after it.",
        "Move the call out of the hot function, or replace it by array functions.",
    ),
    Reason(
        "JN302",
        "callee changes too often",
        "Many different functions were called here, so none is assumed.",
        "Call one function, or branch on what distinguishes them.",
    ),
    Reason(
        "JN303",
        "callee cannot be captured",
        "The called Python function contains something that is not captured; it is called in Python.",
        "See the reason reported for the callee.",
    ),
    Reason(
        "JN304",
        "input or output",
        "Printing and other input or output happens in Python, in program order.",
        "Move it out of the hot function.",
    ),
    Reason(
        "JN305",
        "reads its own frame",
        "locals(), globals(), eval, exec, vars and the like see the frame of the function; they run "
        "in Python.",
        "Pass the values explicitly.",
    ),
    Reason(
        "JN306",
        "import of a new module",
        "Importing runs the module's code.",
        "Import at module level.",
    ),
    Reason(
        "JN307",
        "effect in a transformed function",
        "JAX traces the function it transforms. An effect in it can be held back only in a function that is "
        "differentiated, and what it stores must not depend on the differentiated arguments.",
        "Store `jax.lax.stop_gradient` of the value, or return it and do the effect outside.",
    ),
    Reason(
        "JN308",
        "run-time decision in a transformed function",
        "JAX traces the function it transforms, so it cannot branch on array values.",
        "Use jnp.where or jax.lax.cond inside the function.",
    ),
    Reason(
        "JN309",
        "call of a function with a cache",
        "What `functools.lru_cache` and `functools.cache` make looks its arguments up in a cache of its own, which "
        "others can see and clear. It is called in Python, and compiled execution starts again after it.",
        "Cache around the hot function instead of within it, or keep results in a dict that the function is given.",
    ),
    # ---- array primitive or dtype not supported
    Reason(
        "JN401",
        "array primitive not supported",
        "The array function traces to a primitive that has no import into the compiler. It is called "
        "in Python.",
        "Express it by other array functions.",
    ),
    Reason(
        "JN402",
        "dtype not supported",
        "Arrays of this dtype are not compiled.",
        "Use a boolean, integer or floating point dtype.",
    ),
    Reason(
        "JN403",
        "argument of the array function not supported",
        "The array function is known, but not with these keyword arguments or argument types.",
        "Use the plain form of the function.",
    ),
    Reason(
        "JN404",
        "shape depends on values",
        "The shape of the result, or what is selected, depends on values that are only known at run time. It is "
        "computed in Python.",
        "Use a form with a fixed shape, such as np.where or a mask that is multiplied in.",
    ),
    Reason(
        "JN405",
        "extents cannot be compared",
        "What the array function does depends on how symbolic extents compare, and that is not known.",
        "Call it with arrays of a fixed shape.",
    ),
    Reason(
        "JN406",
        "argument is being traced by JAX",
        "The function is called inside another transformation of JAX (jit, vmap, grad), so its arguments are "
        "tracers and have no values.",
        "Apply janus.jit outside: to the function that calls the transformed one.",
    ),
    Reason(
        "JN407",
        "array is not on the CPU",
        "The array lies on an accelerator, or is spread over several devices.",
        "Move it to a CPU device with jax.device_put.",
    ),
    Reason(
        "JN408",
        "NumPy raises its warnings",
        "By `np.errstate`, or by a filter of `warnings`, NumPy's floating-point warnings are exceptions now. "
        "Compiled code does not notice these conditions.",
        "Call the function outside that context, or test for the condition in the program.",
    ),
    # ---- value, alias or shape cannot be represented
    Reason(
        "JN501",
        "value cannot be represented",
        "The value is neither an array, a number, a known container nor an object whose attributes "
        "Janus can guard.",
        "Pass arrays, numbers, tuples, lists, dicts or plain objects.",
    ),
    Reason(
        "JN502",
        "rank differs between paths",
        "Two paths that meet here, or two iterations of a loop, give arrays of different rank or "
        "dtype to one variable.",
        "Keep one rank and dtype per variable.",
    ),
    Reason(
        "JN503",
        "arrays may share memory",
        "An array is written in place while another name may refer to the same memory in a way that "
        "the compiler cannot follow.",
        "Make a copy, or write out of place.",
    ),
    Reason(
        "JN504",
        "integer out of range",
        "A Python int that does not fit into 64 bits is used where only one that does is captured.",
        "Use float, or keep the arithmetic on big integers out of the hot function.",
    ),
    Reason(
        "JN505",
        "paths disagree about an object",
        "Two paths that meet here leave different objects or container structures in one variable, so"
        " no single value stands for both.",
        "Return or use the value inside each branch.",
    ),
    Reason(
        "JN506",
        "object cannot be rebuilt",
        "An object made in compiled code has no form in which Python could take it over.",
        "Make the object outside of the compiled function, or return plain containers.",
    ),
    Reason(
        "JN507",
        "attribute or key absent",
        "The object had no such attribute or key when the function was compiled.",
        "Set the attribute before the first call.",
    ),
    # ---- policy
    Reason(
        "JN601",
        "too many versions",
        "The function was specialised for as many different arguments as the bound allows, and all of these "
        "versions are in use, or none was ever used twice. Further kinds of calls run in Python.",
        "Raise config.max_versions, or call it with fewer kinds of arguments.",
    ),
    Reason(
        "JN602",
        "deoptimisation storm",
        "Guards failed in most calls, even after generalising and after pauses, so that the function is left "
        "in Python.",
        "See which guard failed in explain(), and make that value stable.",
    ),
    Reason(
        "JN603",
        "too small to win",
        "Compiled code would not be faster than Python for this function.",
        "Decorate a larger function that calls it.",
    ),
    Reason(
        "JN604",
        "capture became too large",
        "Unrolling and inlining reached the bound on the size of one function.",
        "Use loops over arrays instead of unrolled Python loops.",
    ),
    # ---- compiler failure
    Reason(
        "JN701",
        "compiler pass failed",
        "A compiler pass rejected the captured code. The function runs in Python; this is a defect of Janus.",
        "Please report it with the file that explain() names: it holds the code and the command that fails on it.",
    ),
    Reason(
        "JN702",
        "capture failed",
        "The capture of the function failed in an unforeseen way. The function runs in Python; this "
        "is a defect of Janus.",
        "Please report it with the file that explain() names, which holds the traceback.",
    ),
    Reason(
        "JN703",
        "target not available",
        "Code for the requested target cannot be run on this machine.",
        'Use target="cpu".',
    ),
)

REASONS: dict[str, Reason] = {entry.code: entry for entry in _TABLE}
"""All reasons by code."""


def reason(code: str) -> Reason:
    """Return the reason registered under `code`.

    Raises
    ------
    KeyError
        If there is none: codes are never made up at the place of use.
    """
    return REASONS[code]


def reason_line(code: str, detail: str = "") -> str:
    """Return ``"JN101 no source text: detail"``."""
    head = f"{code} {reason(code).title}"
    return f"{head}: {detail}" if detail else head


def _markdown_lines() -> Iterator[str]:
    yield "# Coded reasons"
    yield ""
    yield "<!-- Generated by `python -m janus_mlir.reasons`; do not edit. -->"
    yield ""
    yield "`explain()` gives one of these codes for whatever is not compiled. In strict mode the"
    yield "same code is raised in a `CaptureError`. A code keeps its meaning from release to release."
    for digit, title in CATEGORIES.items():
        yield ""
        yield f"## JN{digit}xx: {title}"
        for entry in REASONS.values():
            if entry.code[2] == digit:
                yield ""
                yield f"### {entry.code}: {entry.title}"
                yield ""
                yield entry.explanation
                yield ""
                yield f"*What to do:* {entry.hint}"


def markdown() -> str:
    """Return the text of ``docs/reasons.md``."""
    return "\n".join(_markdown_lines()) + "\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
