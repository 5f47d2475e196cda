"""JAX arrays in and out of native code."""

from __future__ import annotations

import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from janus_mlir._native import _runtime
from janus_mlir.runtime import DTYPES, jax_arrays

from .native import Script, jit


def version(program, address=1, sites=()):
    return _runtime.Version(address, 4, program, [], list(sites), None)


@pytest.fixture
def twice(entries):
    """Double an f32 vector of any length, JAX array to JAX array."""
    wrap = jax_arrays.make_wrap(None, np.float32)
    made = version(
        [("array", 0, "jax", 11, [-1], False, 0), ("bind_tensor", 0, [0])],
        entries.twice,
        [(0, "return", [("jax", 11, 0, wrap)], None, False, "single")],
    )
    return jit(("x",), made, on_miss=lambda args, kwargs: "miss")


def test_in_and_out(twice):
    x = jnp.arange(5, dtype=jnp.float32)
    for _ in range(3):
        y = twice(x)
        assert type(y) is type(x) and y.dtype == x.dtype and not y.weak_type
        assert np.array_equal(y, 2 * np.arange(5))
    assert np.array_equal(twice(twice(y)), 8 * np.arange(5))
    assert np.array_equal(twice(jnp.ones(3)), [2, 2, 2])
    assert twice(jnp.zeros(0, jnp.float32)).shape == (0,)


@pytest.mark.parametrize(
    "other",
    [
        lambda: jnp.ones((2, 2)),
        lambda: jnp.ones(3, jnp.int32),
        lambda: jnp.ones(3, jnp.float16),
        lambda: np.ones(3, np.float32),
        lambda: 1.0,
        lambda: jax.random.key(0),
        lambda: jnp.asarray(1.0)[None] * 1,
    ],
)
def test_other_values_miss(twice, other):
    value = other()
    if isinstance(value, jax.Array) and value.dtype == np.float32 and value.ndim == 1:
        value = jnp.broadcast_to(jnp.asarray(1.0), (1,))
        assert value.weak_type
    assert twice(value) == "miss"


def test_tracers_miss(twice):
    assert jax.jit(lambda x: 1 if isinstance(twice(x), str) else 0)(jnp.ones(3)) == 1


def test_deleted_arrays_miss(twice):
    x = jnp.arange(4, dtype=jnp.float32) + 1
    assert twice(x)[0] == 2
    x.delete()
    assert twice(x) == "miss"
    y = jnp.arange(4, dtype=jnp.float32) + 1
    y.delete()
    assert twice(y) == "miss"
    z = twice(jnp.ones(2))
    z.delete()
    assert twice(z) == "miss"


def test_unfinished_arrays_are_waited_for(twice):
    @jax.jit
    def slow(x):
        return jax.lax.fori_loop(0, 40, lambda _, a: jnp.tanh(a @ a) * 0.5 + 1, x).ravel()

    x = jnp.ones((300, 300)) * 0.001
    slow(x).block_until_ready()
    for step in range(3):
        result = slow(x + step * 0.001)
        doubled = twice(result)
        assert np.array_equal(doubled, 2 * np.asarray(result))


def test_weak_types_and_static_shapes():
    strong = version([("array", 0, "jax", 11, [2], False, 0)])
    weak = version([("array", 0, "jax", 11, [], True, 0)])
    one = jnp.asarray(1.0)
    assert one.weak_type and weak.check((one,)) and not weak.check((jnp.float32(1),))
    assert strong.check((jnp.ones(2),)) and not strong.check((jnp.ones(3),))
    shared = version([("array", 0, "jax", 11, [-1], False, 2), ("array", 1, "jax", 11, [-1], False, 2)])
    for _ in range(2):
        assert shared.check((jnp.ones(3), jnp.ones(3))) and shared.check((jnp.ones(4), jnp.ones(4)))
        assert not shared.check((jnp.ones(3), jnp.ones(4))) and not shared.check((jnp.ones(1), jnp.ones(1)))


def test_programs_hold_no_arrays(twice):
    x = jnp.ones(7) + 1
    watch = weakref.ref(x)
    twice(x)
    del x
    gc.collect()
    assert watch() is None


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("weak_type", [False, True])
@pytest.mark.parametrize("public", [False, True])
def test_wrap(dtype, weak_type, public):
    if public:
        wrap = jax_arrays._make_public_wrap(weak_type)
    else:
        wrap = jax_arrays.make_wrap((2, 2), dtype.numpy, weak_type)
    data = np.array([[0, 1], [1, 0]]).astype(dtype.numpy)
    made = wrap(data.copy())
    assert type(made) is jax_arrays.array_type
    assert made.dtype == dtype.numpy and made.weak_type == weak_type and made.shape == (2, 2)
    assert np.array_equal(np.asarray(made), data)
    assert not made.committed


def test_results_take_their_memory_over(scripted):
    wrap = jax_arrays.make_wrap(None, np.float64)
    f = scripted((0, "return", [("jax", 12, 0, wrap)], None, False, "single"))
    gc.collect()
    before = _runtime.live_blocks()
    data = np.arange(1000.0)
    results = [f(Script().begin(0).copy(data + index).status()) for index in range(20)]
    assert all(np.array_equal(np.asarray(result), data + index) for index, result in enumerate(results))
    assert _runtime.live_blocks() == before + 20
    del results
    gc.collect()
    jnp.zeros(3).block_until_ready()
    assert _runtime.live_blocks() <= before + 1


def test_numpy_and_jax_memory_do_not_count_as_overlapping():
    check = version([("no_overlap", 0, [1])])
    assert check.check((np.zeros(3), jnp.zeros(3)))


def test_an_exception_in_wrap_propagates(scripted):
    def wrap(array):
        raise OSError("no device")

    f = scripted((0, "return", [("jax", 12, 0, wrap)], None, False, "single"))
    with pytest.raises(OSError, match="no device"):
        f(Script().begin(0).copy(np.ones(2)).status())


def test_committed_and_other_layouts():
    check = version([("array", 0, "jax", 11, [2], False, 0)])
    assert check.check((jax.device_put(jnp.ones(2), jax.devices("cpu")[0]),))
    mesh = jax.sharding.Mesh(np.array(jax.devices("cpu")[:1]), ("d",))
    named = jax.device_put(jnp.ones(2), jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("d")))
    assert not check.check((named,))
