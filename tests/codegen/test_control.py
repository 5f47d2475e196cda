"""Control flow, exits, memory and the ABI of compiled code, compared with NumPy."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from .harness import Compiled, unaligned
from .programs import contraction

ENTRY = "attributes {janus.entry, janus.return_site = 0 : i32}"
MAP1 = "affine_map<(d0) -> (d0)>"


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def arr(*shape: int) -> Any:
    return unaligned(rng().standard_normal(shape).astype(np.float32))


def cumulative(shape: str, source: str, out: str) -> str:
    """y[i] = x[i] + x[n - 1 - i], which cannot run in place."""
    return f"""
    %e_{out} = tensor.empty() : tensor<{shape}xf32>
    %{out} = linalg.generic {{indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (6 - d0)>, {MAP1}],
        iterator_types = ["parallel"]}}
        ins(%{source}, %{source} : tensor<{shape}xf32>, tensor<{shape}xf32>) outs(%e_{out} : tensor<{shape}xf32>) {{
      ^bb0(%p: f32, %q: f32, %o: f32):
        %s = arith.addf %p, %q : f32
        %h = arith.constant 0.5 : f32
        %r = arith.mulf %s, %h : f32
        %t = arith.addf %r, %p : f32
        linalg.yield %t : f32
    }} -> tensor<{shape}xf32>"""


def mirror(x: Any) -> Any:
    return (x + x[::-1]) * np.float32(0.5) + x


@pytest.mark.parametrize("trips", [0, 1, 2, 5])
def test_for_carries_a_new_buffer_each_trip(trips: int) -> None:
    f = Compiled(f"""func.func @f(%x: tensor<7xf32>, %n: i64) -> tensor<7xf32> {ENTRY} {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %ub = arith.index_cast %n : i64 to index
      %r = scf.for %i = %c0 to %ub step %c1 iter_args(%a = %x) -> tensor<7xf32> {{
        {cumulative("7", "a", "y")}
        scf.yield %y : tensor<7xf32>
      }}
      return %r : tensor<7xf32> }}""")
    x = arr(7)
    want = x
    for _ in range(trips):
        want = mirror(want)
    np.testing.assert_allclose(f(x, trips), want, rtol=1e-5)


@pytest.mark.parametrize("trips", [0, 1, 2, 3, 6])
def test_while_swaps_carried_buffers(trips: int) -> None:
    f = Compiled(f"""func.func @f(%x: tensor<7xf32>, %y: tensor<7xf32>, %n: i64) -> (tensor<7xf32>, tensor<7xf32>) {ENTRY} {{
      %c0 = arith.constant 0 : i64
      %c1 = arith.constant 1 : i64
      %r:3 = scf.while (%a = %x, %b = %y, %i = %c0) : (tensor<7xf32>, tensor<7xf32>, i64) -> (tensor<7xf32>, tensor<7xf32>, i64) {{
        %go = arith.cmpi slt, %i, %n : i64
        scf.condition(%go) %a, %b, %i : tensor<7xf32>, tensor<7xf32>, i64
      }} do {{
      ^bb0(%a: tensor<7xf32>, %b: tensor<7xf32>, %i: i64):
        {cumulative("7", "a", "z")}
        %k = arith.addi %i, %c1 : i64
        scf.yield %b, %z, %k : tensor<7xf32>, tensor<7xf32>, i64
      }}
      return %r#0, %r#1 : tensor<7xf32>, tensor<7xf32> }}""")
    x, y = arr(7), arr(7) * 2
    a, b = x, y
    for _ in range(trips):
        a, b = b, mirror(a)
    got = f(x, y, trips)
    np.testing.assert_allclose(got[0], a, rtol=1e-5)
    np.testing.assert_allclose(got[1], b, rtol=1e-5)


def test_dynamic_while_bounds_its_scratch() -> None:
    f = Compiled(f"""func.func @f(%x: tensor<?xf32>, %n: i64) -> tensor<?xf32> {ENTRY} {{
      %c0 = arith.constant 0 : i64
      %z = arith.constant 0 : index
      %c1 = arith.constant 1 : i64
      %r:2 = scf.while (%a = %x, %i = %c0) : (tensor<?xf32>, i64) -> (tensor<?xf32>, i64) {{
        %go = arith.cmpi slt, %i, %n : i64
        scf.condition(%go) %a, %i : tensor<?xf32>, i64
      }} do {{
      ^bb0(%a: tensor<?xf32>, %i: i64):
        %d = tensor.dim %a, %z : tensor<?xf32>
        %e = tensor.empty(%d) : tensor<?xf32>
        %y = linalg.generic {{indexing_maps = [{MAP1}, {MAP1}], iterator_types = ["parallel"]}}
          ins(%a : tensor<?xf32>) outs(%e : tensor<?xf32>) {{
          ^bb0(%p: f32, %o: f32):
            %s = arith.addf %p, %p : f32
            linalg.yield %s : f32 }} -> tensor<?xf32>
        %k = arith.addi %i, %c1 : i64
        scf.yield %y, %k : tensor<?xf32>, i64
      }}
      return %r#0 : tensor<?xf32> }}""")
    for n in (0, 1, 5, 17, 100):
        x = arr(n)
        _, journal = f.run(x, 20)
        np.testing.assert_allclose(journal.records[-1][1][0], x * 2.0**20)
        assert len(journal.scratch) <= 6


def test_if_gives_one_of_two_buffers() -> None:
    f = Compiled(f"""func.func @f(%x: tensor<7xf32>, %c: i1) -> (tensor<7xf32>, tensor<7xf32>) {ENTRY} {{
      {cumulative("7", "x", "w")}
      %r = scf.if %c -> tensor<7xf32> {{
        {cumulative("7", "w", "y")}
        scf.yield %y : tensor<7xf32>
      }} else {{
        scf.yield %x : tensor<7xf32>
      }}
      return %r, %w : tensor<7xf32>, tensor<7xf32> }}""")
    x = arr(7)
    for c in (0, 1):
        got = f(x, c)
        np.testing.assert_allclose(got[0], mirror(mirror(x)) if c else x, rtol=1e-5)
        np.testing.assert_allclose(got[1], mirror(x), rtol=1e-5)


EXITS = f"""func.func @f(%x: tensor<7xf32>, %n: i64) -> tensor<7xf32> {ENTRY} {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : i64
      %c5 = arith.constant 5 : i64
      %lim = arith.constant 100 : i64
      %ub = arith.index_cast %n : i64 to index
      %r = scf.for %i = %c0 to %ub step %c1 iter_args(%a = %x) -> tensor<7xf32> {{
        %j = arith.index_cast %i : index to i64
        janus.record site 9 (%j, %a : i64, tensor<7xf32>)
        {cumulative("7", "a", "y")}
        %ok = arith.cmpi ne, %j, %c3 : i64
        janus.guard %ok, <branch>, site 4 (%a, %y, %j : tensor<7xf32>, tensor<7xf32>, i64)
        scf.yield %y : tensor<7xf32>
      }}
      %two = arith.constant 2 : i64
      %early = arith.cmpi eq, %n, %two : i64
      %t = scf.if %early -> tensor<7xf32> {{
        janus.leave site 6 (%r, %n : tensor<7xf32>, i64)
        %p = ub.poison : tensor<7xf32>
        scf.yield %p : tensor<7xf32>
      }} else {{
        scf.yield %r : tensor<7xf32>
      }}
      return %t : tensor<7xf32> }}"""


def test_exits_from_loops() -> None:
    f = Compiled(EXITS)
    x = arr(7)
    steps = [x]
    for _ in range(5):
        steps.append(mirror(steps[-1]))
    status, journal = f.run(x, 1)
    assert status == 0 and [r[0] for r in journal.records] == [9, 0]
    np.testing.assert_allclose(journal.records[-1][1][0], steps[1], rtol=1e-5)
    status, journal = f.run(x, 2)
    assert status == 0 and [r[0] for r in journal.records] == [9, 9, 6]
    np.testing.assert_allclose(journal.records[-1][1][0], steps[2], rtol=1e-5)
    assert journal.records[-1][1][1] == 2
    status, journal = f.run(x, 6)
    assert status == 5 and [r[0] for r in journal.records] == [9, 9, 9, 9, 4]
    for i in range(4):
        np.testing.assert_allclose(journal.records[i][1][1], steps[i], rtol=1e-5)
    a, y, j = journal.records[-1][1]
    assert j == 3
    np.testing.assert_allclose(a, steps[3], rtol=1e-5)
    np.testing.assert_allclose(y, steps[4], rtol=1e-5)


def test_record_keeps_its_value_when_the_buffer_is_written_later() -> None:
    f = Compiled(f"""func.func @f(%x: tensor<7xf32>) -> tensor<7xf32> {ENTRY} {{
      {cumulative("7", "x", "w")}
      janus.record site 1 (%w : tensor<7xf32>)
      %c2 = arith.constant 2 : index
      %v = arith.constant 42.0 : f32
      %u = tensor.insert %v into %w[%c2] : tensor<7xf32>
      return %u : tensor<7xf32> }}""")
    x = arr(7)
    _, journal = f.run(x)
    np.testing.assert_allclose(journal.records[0][1][0], mirror(x), rtol=1e-5)
    want = mirror(x)
    want[2] = 42
    np.testing.assert_allclose(journal.records[1][1][0], want, rtol=1e-5)


def test_arguments_constants_and_scalars_are_returned() -> None:
    f = Compiled(f"""func.func @f(%x: tensor<3x2xf32>, %a: f64, %b: i1, %n: i64)
        -> (tensor<3x2xf32>, tensor<2xf32>, f64, i1, i64, tensor<3x2xf32>, tensor<f32>) {ENTRY} {{
      %k = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
      %s = arith.constant dense<3.0> : tensor<f32>
      %t = arith.addf %a, %a : f64
      %z, %o = janus.mul_overflow %n, %n
      return %x, %k, %t, %o, %z, %x, %s : tensor<3x2xf32>, tensor<2xf32>, f64, i1, i64, tensor<3x2xf32>, tensor<f32> }}""")
    x = arr(3, 2)
    got = f(x, 1.5, 1, 3)
    np.testing.assert_array_equal(got[0], x)
    np.testing.assert_array_equal(got[1], [1, 2])
    assert got[2:5] == (3.0, 0, 9)
    np.testing.assert_array_equal(got[5], x)
    assert got[6] == 3.0
    assert f(x, 1.5, 1, 1 << 40)[3] == 1


def test_slices_and_pads() -> None:
    f = Compiled(f"""func.func @f(%x: tensor<5x6xf32>) -> (tensor<3x2xf32>, tensor<8x9xf32>, tensor<5x6xf32>, tensor<30xf32>) {ENTRY} {{
      %s = tensor.extract_slice %x[1, 2] [3, 2] [1, 2] : tensor<5x6xf32> to tensor<3x2xf32>
      %z = arith.constant 0.0 : f32
      %p = tensor.pad %x low[1, 2] high[2, 1] {{
        ^bb0(%i: index, %j: index):
          tensor.yield %z : f32
      }} : tensor<5x6xf32> to tensor<8x9xf32>
      %u = tensor.insert_slice %s into %x[0, 1] [3, 2] [2, 3] : tensor<3x2xf32> into tensor<5x6xf32>
      %c = tensor.collapse_shape %u [[0, 1]] : tensor<5x6xf32> into tensor<30xf32>
      return %s, %p, %u, %c : tensor<3x2xf32>, tensor<8x9xf32>, tensor<5x6xf32>, tensor<30xf32> }}""")
    x = arr(5, 6)
    s, p, u, c = f(x)
    want = x[1:4, 2:6:2]
    np.testing.assert_array_equal(s, want)
    np.testing.assert_array_equal(p, np.pad(x, ((1, 2), (2, 1))))
    inserted = x.copy()
    inserted[0:5:2, 1:6:3] = want
    np.testing.assert_array_equal(u, inserted)
    np.testing.assert_array_equal(c, inserted.reshape(-1))


def test_private_functions_are_inlined() -> None:
    f = Compiled(f"""module {{
      func.func @f(%x: tensor<7xf32>) -> tensor<7xf32> {ENTRY} {{
        %y = call @g(%x) : (tensor<7xf32>) -> tensor<7xf32>
        %z = call @g(%y) : (tensor<7xf32>) -> tensor<7xf32>
        return %z : tensor<7xf32> }}
      func.func private @g(%x: tensor<7xf32>) -> tensor<7xf32> {{
        {cumulative("7", "x", "w")}
        return %w : tensor<7xf32> }} }}""")
    x = arr(7)
    np.testing.assert_allclose(f(x), mirror(mirror(x)), rtol=1e-5)


def test_bfloat16_is_rounded_to_even() -> None:
    f = Compiled(f"""func.func @f(%x: tensor<?xf32>) -> tensor<?xbf16> {ENTRY} {{
      %y = arith.truncf %x : tensor<?xf32> to tensor<?xbf16>
      return %y : tensor<?xbf16> }}""")
    special = [0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, 3.4e38, 1e-40, 1.00390625, 1.01171875]
    x = unaligned(np.concatenate([np.array(special, np.float32), arr(50)]))
    want = x.astype(ml_dtypes.bfloat16)
    got = f(x).view(ml_dtypes.bfloat16)
    np.testing.assert_array_equal(got.astype(np.float32), want.astype(np.float32))


@pytest.mark.parametrize("shapes", [((0, 5), (5, 3)), ((4, 0), (0, 3)), ((4, 5), (5, 0))])
def test_empty_matmul(shapes: Any) -> None:
    x, y = arr(*shapes[0]), arr(*shapes[1])
    np.testing.assert_array_equal(Compiled(contraction("mk,kn->mn", shapes))(x, y).shape, (x @ y).shape)
    np.testing.assert_array_equal(Compiled(contraction("mk,kn->mn", shapes))(x, y), x @ y)


def test_nested_loops_carry_buffers() -> None:
    f = Compiled(f"""func.func @f(%x: tensor<7xf32>, %n: i64, %m: i64) -> tensor<7xf32> {ENTRY} {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %ub = arith.index_cast %n : i64 to index
      %vb = arith.index_cast %m : i64 to index
      %r = scf.for %i = %c0 to %ub step %c1 iter_args(%a = %x) -> tensor<7xf32> {{
        %inner = scf.for %j = %c0 to %vb step %c1 iter_args(%b = %a) -> tensor<7xf32> {{
          {cumulative("7", "b", "y")}
          scf.yield %y : tensor<7xf32>
        }}
        {cumulative("7", "inner", "z")}
        %t = arith.addf %z, %a : tensor<7xf32>
        scf.yield %t : tensor<7xf32>
      }}
      return %r : tensor<7xf32> }}""")
    x = arr(7)
    for n, m in [(0, 3), (1, 0), (2, 1), (3, 2), (2, 5)]:
        a = x
        for _ in range(n):
            b = a
            for _ in range(m):
                b = mirror(b)
            a = mirror(b) + a
        np.testing.assert_allclose(f(x, n, m), a, rtol=1e-4)
