"""The nanobind extension: dialects, phases and the JIT, as Python sees them."""

import ctypes
import gc
import threading

import pytest
from mlir import ir

from janus_mlir._native import _compiler

GUARDED = """
func.func @f(%c: i1) {
  janus.guard %c, <branch>, site 1
  janus.guard %c, <branch>, site 2
  return
}
"""

SQUARE = """
llvm.func @square(%a: i64) -> i64 {
  %0 = llvm.mul %a, %a : i64
  llvm.return %0 : i64
}
"""

CALLS_OUT = """
llvm.func @outside(i64) -> i64
llvm.func @twice(%a: i64) -> i64 {
  %0 = llvm.call @outside(%a) : (i64) -> i64
  %1 = llvm.call @outside(%0) : (i64) -> i64
  llvm.return %1 : i64
}
"""

UNARY = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)


@pytest.fixture
def context() -> ir.Context:
    context = ir.Context()
    _compiler.register_dialects(context)
    return context


def test_dialects_are_loaded(context: ir.Context) -> None:
    assert str(ir.Module.parse(GUARDED, context)).count("janus.guard") == 2
    # Loading twice is no error.
    _compiler.register_dialects(context)


def test_context_without_dialects_refuses_them() -> None:
    with pytest.raises(ir.MLIRError):
        ir.Module.parse(GUARDED, ir.Context())


def test_ops_are_created_by_name(context: ir.Context) -> None:
    with context, ir.Location.unknown():
        module = ir.Module.parse("func.func @f(%a: i64) { return }")
        block = module.body.operations[0].regions[0].blocks[0]
        i64, i1 = ir.IntegerType.get_signless(64), ir.IntegerType.get_signless(1)
        with ir.InsertionPoint.at_block_begin(block):
            total = ir.Operation.create("janus.add_overflow", [i64, i1], [block.arguments[0]] * 2)
            ir.Operation.create(
                "janus.guard",
                operands=[total.results[1], block.arguments[0]],
                attributes={
                    "kind": ir.Attribute.parse("#janus.kind<overflow>"),
                    "site": ir.IntegerAttr.get(ir.IntegerType.get_signless(32), 7),
                },
            )
        assert module.operation.verify()
        assert "<overflow>, site 7 (%arg0 : i64)" in str(module)


def test_phases() -> None:
    assert _compiler.phases() == ["captured", "speculated", "differentiated", "linalg", "codegen", "llvm"]


def test_run_phase(context: ir.Context) -> None:
    module = ir.Module.parse(GUARDED, context)
    _compiler.run_phase(module, "captured")
    assert str(module).count("janus.guard") == 2
    assert module.operation.attributes["janus.phase"] == ir.StringAttr.get("captured", context)
    _compiler.run_phase(module, "speculated")
    assert str(module).count("janus.guard") == 1
    assert module.operation.attributes["janus.phase"] == ir.StringAttr.get("speculated", context)


def test_run_phase_says_what_is_wrong(context: ir.Context) -> None:
    module = ir.Module.parse(GUARDED, context)
    with pytest.raises(_compiler.CompileError, match="there is no phase 'nowhere'"):
        _compiler.run_phase(module, "nowhere")
    _compiler.run_phase(module, "speculated")
    with pytest.raises(_compiler.CompileError, match="in phase 'speculated', past 'captured'"):
        _compiler.run_phase(module, "captured")


def test_compile_error_carries_the_location(context: ir.Context) -> None:
    text = 'module attributes {janus.phase = "tomorrow"} {} loc("train.py":41:8)'
    with pytest.raises(_compiler.CompileError, match=r"^train\.py:41:8: error: unknown phase 'tomorrow'"):
        _compiler.run_phase(ir.Module.parse(text, context), "llvm")


def test_jit(context: ir.Context) -> None:
    executable = _compiler.jit(ir.Module.parse(SQUARE, context), {})
    assert UNARY(executable.address("square"))(12) == 144
    with pytest.raises(KeyError, match="no_such_function"):
        executable.address("no_such_function")


@pytest.mark.parametrize("opt_level", [0, 1, 2, 3])
def test_jit_injects_symbols(context: ir.Context, opt_level: int) -> None:
    outside = UNARY(lambda value: value + 5)
    address = ctypes.cast(outside, ctypes.c_void_p).value
    assert address is not None
    executable = _compiler.jit(ir.Module.parse(CALLS_OUT, context), {"outside": address}, opt_level=opt_level)
    assert UNARY(executable.address("twice"))(1) == 11


def test_jit_names_the_missing_symbol(context: ir.Context) -> None:
    with pytest.raises(_compiler.CompileError, match="outside"):
        _compiler.jit(ir.Module.parse(CALLS_OUT, context), {})


def test_jit_refuses_other_phases(context: ir.Context) -> None:
    with pytest.raises(_compiler.CompileError):
        _compiler.jit(ir.Module.parse(GUARDED, context), {})


def test_code_outlives_module_and_context() -> None:
    context = ir.Context()
    _compiler.register_dialects(context)
    executable = _compiler.jit(ir.Module.parse(SQUARE, context), {})
    del context
    gc.collect()
    assert UNARY(executable.address("square"))(7) == 49


def test_threads_compile_in_contexts_of_their_own() -> None:
    results: list[int] = []

    def work(value: int) -> None:
        context = ir.Context()
        _compiler.register_dialects(context)
        module = ir.Module.parse(GUARDED, context)
        _compiler.run_phase(module, "speculated")
        executable = _compiler.jit(ir.Module.parse(SQUARE, context), {})
        results.append(UNARY(executable.address("square"))(value))

    threads = [threading.Thread(target=work, args=(value,)) for value in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 1, 4, 9]


def test_host_target() -> None:
    host = _compiler.host_target()
    assert host["triple"] and host["cpu"]
    assert host["features"].startswith(("+", "-"))
    assert host["vector_bits"] in (128, 256, 512)
