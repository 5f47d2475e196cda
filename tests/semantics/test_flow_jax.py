"""Control flow on JAX arrays: straight lines, branches, loops, early returns."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax

import janus_mlir as janus
from semantics.oracle import Cases, mat, nmat, nvec, vec

cases = Cases()


@cases.add(lambda i: (vec(4, float(i)), vec(3)))
def sum_of_an_outer_product(x, y):
    return jax.lax.dot_general(x, y, (((), ()), ((), ()))).sum(), jnp.outer(x, y).max()


@cases.add(lambda i: (vec(), vec(start=2.0)), lambda: (vec(5), vec(5)), lambda: (vec(), 3.0))
def straight(x, y):
    z = x * 2 + y
    w = jnp.exp(-z) @ x
    return z, w - 1


@cases.add(lambda i: (mat(), mat(4, 2)), lambda: (mat(5, 4), mat(4, 2)), lambda: (mat(), vec()))
def product(a, b):
    h = jnp.tanh(a @ b)
    return h.sum(axis=0), h.mean(), h.T


@cases.add(lambda i: (vec(start=i - 3.0),), lambda: (vec(6, -9.0),))
def branch_on_tensor(x):
    if x.sum() > 2:
        y = x * 2
    else:
        y = x - 1
    return y


@cases.add(lambda i: (vec(start=1.0),), lambda: (vec(start=-50.0),))
def branch_seen_one_way(x):
    if jnp.max(x) > 0:
        return x / jnp.max(x)
    return -x


@cases.add(lambda i: (vec(), i % 3))
def branch_on_number(x, mode):
    if mode == 0:
        x = x + 1
    elif mode == 1:
        x = x * 2
    else:
        x = -x
    return x


@cases.add(lambda i: (vec(start=float(i % 4)),), lambda: (vec(start=20.0),))
def elif_chain(x):
    s = x[0]
    if s < 1:
        r = "low"
        y = x
    elif s < 2:
        r = "low"
        y = x * 10
    elif s < 3:
        r = "low"
        y = x * 100
    else:
        r = "low"
        y = x * 1000
    return r, y


@cases.add(lambda i: (vec(start=float(i % 4)),))
def text_by_branch(x):
    name = "big" if x.sum() > 9 else "small"
    return name, x


@cases.add(lambda i: (vec(start=float(i % 3 - 1)), True), lambda: (vec(), False))
def flag(x, training):
    if training and x[0] > 0:
        x = x * 0.5
    if not training or x[1] < 0:
        x = x + 7
    return x


@cases.add(lambda i: (vec(start=float(i)),), lambda: (vec(start=500.0),))
def while_halving(x):
    n = 0
    while jnp.sum(x) > 1.0:
        x = x / 2
        n += 1
    return x, n


@cases.add(lambda i: (vec(), 3 + i % 4), lambda: (vec(), 0), lambda: (vec(), 40))
def for_range(x, n):
    s = x
    for k in range(n):
        s = s * 0.5 + k
    return s


@cases.add(lambda i: (mat(),), lambda: (mat(6, 4),))
def for_rows(m):
    total = jnp.zeros(4)
    rows = []
    for row in m:
        total = total + row * row.max()
        rows.append(row.sum())
    return total, rows


@cases.add(lambda i: ([vec(), vec(start=2.0)], (vec(), 2.0)), lambda: ([vec()] * 3, (vec(), 1.0)))
def for_containers(xs, pair):
    acc = 0
    for x in xs:
        acc = acc + x
    for p in pair:
        acc = acc * p
    return acc


@cases.add(lambda i: (vec(8, float(i)),), lambda: (vec(8, -100.0),))
def break_and_else(x):
    for k in range(8):
        if x[k] > 5:
            x = x - x[k]
            break
    else:
        x = x * 100
    return x


@cases.add(lambda i: (vec(6, float(i - 4)),))
def continue_skips(x):
    s = jnp.float32(0)
    for k in range(6):
        if x[k] < 0:
            continue
        s = s + x[k]
    return s


@cases.add(lambda i: (vec(start=float(i)),), lambda: (vec(start=0.5),))
def while_else(x):
    k = 0
    while k < 5:
        k += 1
        if x[0] * k > 6:
            break
    else:
        k = -1
    return k, x * k


@cases.add(lambda i: (vec(start=float(i)),), lambda: (vec(start=2000.0),))
def return_in_loop(x):
    for k in range(20):
        x = x * 1.5
        if x.sum() > 1000:
            return x, k
    return x, -1


@cases.add(lambda i: (mat(),))
def nested_loops(m):
    s = jnp.float32(0)
    for i in range(3):
        for j in range(4):
            if i == j:
                continue
            if j == 3:
                break
            s += m[i, j] * (i + 1)
    return s


@cases.add(lambda i: (vec(start=float(i)), 5))
def nested_while(x, n):
    i = 0
    while i < n:
        j = 0
        while j < i:
            x = x + j
            if x[0] > 30:
                x = x - 29
            j += 1
        i += 1
    return x, i


@cases.add(lambda i: (vec(start=i % 7 - 3.0),))
def conditional_expression(x):
    a = x if x[0] > 0 else -x
    b = a.sum() if a[0] > 2 else 0 * a.sum()
    return a, b


@cases.add(lambda i: (vec(start=i % 7 - 3.0), 2.0))
def short_circuit(x, lo):
    if x[0] > lo and x[1] > lo:
        return x
    if x[0] > 0 or x[1] < -1:
        return x + 1
    return x + 2


@cases.add(lambda i: (vec(start=float(i)),))
def chained_comparison(x):
    if 0 < x[0] <= 3:
        return x * 2
    return x


@cases.add(lambda i: (vec(),))
def bool_of_comparison(x):
    return bool((x > 0).all()), float(x.sum()), int(x[1])


@cases.add(lambda i: (vec(start=float(i)),), lambda: (vec(start=100.0),))
def number_from_tensor(x):
    n = int(x[0])
    y = x
    for _ in range(n % 3):
        y = y + n
    return y, float(y.max())


@cases.add(lambda i: (vec(start=float(i)),))
def maybe_unbound_not_used(x):
    if x[0] > 3:
        extra = x * 2
        x = x + extra
    return x


@cases.add(lambda i: (vec(start=float(i - 4)),))
def different_kinds(x):
    if x[0] > 0:
        y = 1
    else:
        y = x
    return y


@cases.add(lambda i: (vec(start=float(i - 4)),))
def none_or_array(x):
    y = None
    if x[0] > 0:
        y = x * 2
    if y is not None:
        return y
    return x


@cases.add(lambda i: (vec(start=float(i - 4)),))
def different_shapes(x):
    if x[0] > 0:
        y = x[:2]
    else:
        y = x
    return y * 2


@cases.add(lambda i: (vec(4, 1, np.int32), vec(4, 1)), lambda: (vec(4, 1, np.int32), vec(4, 1, np.int32)))
def promotion(a, b):
    return a + b, a / 2, a // 2, a % 3, a**2, 2**a, b + 1, b * True, -a, abs(b), a > b, ~a, a & 3


@cases.add(lambda i: (vec(),))
def weak_types(x):
    a = jnp.asarray(2.0)
    b = jnp.sum(x) * 2
    c = a * 3
    d = jnp.where(x > 1, 1, 0)
    return a, b, c, d, jnp.where(x > 1, 1.0, x)


@cases.add(lambda i: (vec(8),), lambda: (vec(9),))
def indexing(x):
    return (
        x[0],
        x[-1],
        x[1:3],
        x[::2],
        x[None],
        x[jnp.array([0, 2])],
        x[..., 1],
        x.at[1].set(9.0),
        x.at[2:].add(1),
    )


@cases.add(lambda i: (vec(8), i % 8))
def dynamic_index(x, i):
    return x[i], x.at[i].set(0.0)


@cases.add(lambda i: (mat(4, 4), vec()))
def solver(a, b):
    x = jnp.zeros_like(b)
    for _ in range(30):
        r = b - a @ x
        if jnp.linalg.norm(r) < 1e-3:
            break
        x = x + 0.05 * r
    return x


@cases.add(lambda i: (vec(), jax.random.PRNGKey(i)))
def randomness(x, key):
    k1, k2 = jax.random.split(key)
    return x + jax.random.normal(k1, x.shape), k2


@cases.add(lambda i: (vec(start=float(i)),))
def walrus_and_unpack(x):
    if (s := x.sum()) > 12:
        x = x - s
    a, *rest = x[0], x[1], x[2]
    (b, c), d = rest, s
    return a, b, c, d, rest


@cases.add(
    lambda i: (
        {"a": [vec(2), 1.5 + i], "b": (vec(1), None, {"c": i})},
        {"a": [vec(2), 2.0], "b": (vec(1), None, {"c": 3})},
    ),
)
def trees(p, q):
    seen = []

    def add(x, y):
        seen.append(len(seen))
        if isinstance(x, jax.Array) and x.sum() > 100:
            return x
        return x + y

    leaves, structure = jax.tree.flatten(p)  # numbers stay numbers
    back = jax.tree.unflatten(structure, [x * 2 for x in leaves])
    lengths = jax.tree.map(len, p, is_leaf=lambda x: isinstance(x, (list, tuple)))
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(q)]
    return (
        jax.tree.map(add, p, q),
        back,
        lengths,
        paths,
        jax.tree.reduce(lambda n, x: n + jnp.sum(x), p, 0.0),
        seen,
    )


@cases.add(lambda i: ({"w": vec(), "b": 0.5 + i, "n": 2}, i), compiled=False)
def numbers_among_leaves(p, n):
    """What libraries return of numbers is numbers, unless an array comes in."""
    carried, _ = jax.lax.scan(lambda c, x: ((c[0] + x, c[1]), x), (0.0, p["b"]), p["w"])
    return (
        optax.tree_utils.tree_scale(2.0, p),
        optax.apply_updates(p, p),
        carried,
        optax.cosine_decay_schedule(1.0, 9)(n),
    )


@cases.add(lambda i: (vec(),))
def jax_transform(x):
    def loss(w):
        return jnp.sum((w * x - 1) ** 2)

    g = jax.grad(loss)(x)
    return g, jax.vmap(lambda t: t * 2)(x), jax.lax.fori_loop(0, 3, lambda i, c: c + i, x)


@cases.add(lambda i: (vec(start=float(i % 3)),))
def match_statement(x):
    match int(x[0]):
        case 0:
            return x
        case 1:
            return x * 2
        case _:
            return x * 3


@cases.add(lambda i: (mat(), i % 2))
def comprehension(m, k):
    rows = [r * 2 for r in m if k == 0]
    table = {i: m[i].sum() for i in range(3)}
    total = sum(r.sum() for r in m)
    return rows, table, total


@cases.add(lambda i: (vec(), vec(start=3.0)))
def zip_enumerate(x, y):
    s = 0
    for i, (a, b) in enumerate(zip(x, y, strict=True)):
        s = s + a * b * i
    for v in reversed([x, y]):
        s = s + v
    return s


@cases.add(lambda i: (vec(),), lambda: (vec(6),))
def shape_arithmetic(x):
    n = x.shape[0]
    half = n // 2
    return x.reshape(2, half) * n, jnp.arange(n) + len(x), x.ndim, x.size, x.dtype == jnp.float32


@cases.add(lambda i: ({str(k): vec(1 + k % 2, start=float(i)) for k in range(70)},))
def many_unlike(weights):
    """More arrays than loops are unrolled for, of shapes that no loop at run time could run over."""
    for name, weight in weights.items():
        weights[name] = weight - 0.5
    return len(weights)


@cases.add(
    lambda i: (vec(70 + i % 3), vec(70 + i % 3, start=2.0)),
    lambda: (vec(5), vec(5)),
    lambda: (vec(5), vec(6)),
)
def vary_together(x, y):
    """Extents that change at the same time are generalised at the same time."""
    return (x * y - y).sum(), len(x)


@cases.add(
    lambda i: (nvec(70 + i % 3, dtype=np.float32), 0.5), lambda: (nvec(0), 0.5), lambda: (nvec(2), 0.5)
)
def backwards(rewards, discount):
    returns = np.zeros(len(rewards), np.float32)
    following = 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + discount * following
        returns[t] = following
    steps = [k for k in reversed(range(1, 8, 3))]
    return returns, following, steps, list(reversed(range(3, 3)))


def long_body(x):
    for _ in range(11):
        x = np.tanh(x * 0.9 + 0.1) - 0.05 * x
    return x


@cases.add(lambda i: (nmat(40, 3, start=float(i)), []))
def long_loop(rows, seen):
    """So long that as straight-line code it would take seconds to compile."""
    total = np.zeros(3)
    result = np.zeros_like(rows)
    for t in range(len(rows)):
        total = long_body(rows[t] + total)
        result[t] = total
    seen.append(t)
    return result, total, t


@cases.add(lambda i: (nvec(4, start=float(i)),))
def long_unlike(x):
    """As long, but no loop at run time could have arrays of all these shapes."""
    total = np.zeros(3)
    for t in range(20):
        total = total + long_body(x[: 1 + t % 3]).sum()
    return total


@cases.add(lambda i: (nmat(40, 3, start=float(i)),))
def long_listed(rows):
    """The loop is one at run time, but what follows would have to know its list's length: it is not after all."""
    found = []
    for t in range(len(rows)):
        found.append(float(long_body(rows[t]).sum()))
    return np.stack([np.full(2, x) for x in found]).shape, found[-1]


@cases.add(lambda i: (vec(3, start=float(i)), mat(11, 3)))
def long_gradient(w, rows):
    def loss(w):
        state = jnp.zeros(3)
        for t in range(11):
            for _ in range(5):
                state = jnp.tanh(state * w + rows[t])
        return state.sum()

    return jax.value_and_grad(loss)(w)


test_program = cases.test()


def test_long_loops_are_loops() -> None:
    text = janus.jit(long_loop).lower(np.ones((40, 3)), []).as_text("captured")
    assert "scf.while" in text and text.count("lax.tanh") <= 22
    text = janus.jit(long_unlike).lower(np.ones(4)).as_text("captured")
    assert "scf.while" not in text
