"""Dicts, sets and the containers of ``collections``."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque, namedtuple

from semantics.oracle import Cases, nvec, vec

cases = Cases()


@cases.add(lambda i: ({"a": 1, "b": 2.0 + i},), lambda: ({"a": 1, "c": 3},), lambda: ({},))
def reading(d):
    return d.get("a"), d.get("z"), d.get("z", 5), "b" in d, len(d), list(d), list(d.values()), list(d.items())


@cases.add(lambda i: ({"a": i, "b": 2},))
def writing(d):
    d["a"] += 1
    d["c"] = d["a"] * 2
    d.setdefault("d", []).append(1)
    d.setdefault("d", []).append(2)
    x = d.pop("b")
    y = d.pop("nope", None)
    d.update(e=5, f=6.5)
    d.update({"a": 0})
    d.update([("g", 1)])
    del d["e"]
    return x, y, list(d.keys())


@cases.add(lambda i: ({"a": i, "b": 2}, {"b": 3, "c": 1.5}))
def merging(a, b):
    c = a | b
    d = {**a, **b, "z": 1}
    a |= b
    return a, b, c, d, a == c, c != d


@cases.add(lambda i: (["x", "y", "z"], 2 + i), compiled=False)
def comprehension(names, n):
    d = {name: k * n for k, name in enumerate(names)}
    e = {v: k for k, v in zip(names, range(3))}
    f = {k: v for k, v in d.items() if v != n}
    return d, e, f, sum(d.values()), max(d, key=d.get), sorted(d.items(), key=lambda kv: -kv[1])


@cases.add(lambda i: ([1, 2, 1, 3, 1 + i % 2],), lambda: ([7, 7, 7, 7, 8],))
def counter_of_ints(xs):
    counts = {}
    for x in xs:
        counts[x] = counts.get(x, 0) + 1
    return counts


@cases.add(lambda i: ("hello world" if i % 2 else "abca",), lambda: ("",))
def counter_of_chars(text):
    counts = {}
    for ch in text:
        if ch in counts:
            counts[ch] += 1
        else:
            counts[ch] = 1
    return counts, sorted(counts), max(counts.values(), default=0)


@cases.add(lambda i: ([("a", 1.0 + i), ("b", 2.0), ("a", 3.0)],))
def grouping(pairs):
    groups = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return {k: sum(v) / len(v) for k, v in groups.items()}, groups


@cases.add(lambda i: ([("a", 1.0 + i), ("b", 2.0), ("a", 3.0)],))
def default_dict(pairs):
    groups = defaultdict(list)
    totals = defaultdict(float)
    for key, value in pairs:
        groups[key].append(value)
        totals[key] += value
    return dict(groups), dict(totals), len(groups), "z" in groups, totals["q"]


@cases.add(lambda i: (defaultdict(int, {"a": i}),), compiled=False)
def outside_default_dict(d):
    d["a"] += 1
    d["b"] += 2
    return d["a"], len(d)


@cases.add(lambda i: ("abracadabra", 2 + i))
def counters(text, n):
    c = Counter(text)
    c["a"] += n
    return c["a"], c["zz"], len(c), c.most_common(1)[0], sum(c.values())


@cases.add(lambda i: (i, 1.5))
def deques(n, f):
    q = deque([1, n, 3])
    q.append(4)
    q.appendleft(0)
    a = q.popleft()
    b = q.pop()
    q.extend([7, 8])
    q.rotate(1)
    return a, b, list(q), len(q), q[0], q[-1], sum(q)


@cases.add(lambda i: (deque([1.0], maxlen=3), 1.5 + i), compiled=False)
def outside_deque(q, f):
    q.append(f)
    q.append(2 * f)
    return len(q), sum(q) / len(q)


@cases.add(lambda i: (4 + i % 2,), lambda: (9,))
def breadth_first(n):
    q = deque([0])
    seen = 0
    while q:
        k = q.popleft()
        seen += k
        if 2 * k + 2 < n:
            q.append(2 * k + 1)
            q.append(2 * k + 2)
    return seen


@cases.add(lambda i: (OrderedDict(a=1, b=2.0 + i),), compiled=False)
def ordered_dict(d):
    d["c"] = 3
    d.move_to_end("a")
    return list(d), d["b"]


Point = namedtuple("Point", ["x", "y"])


@cases.add(lambda i: (Point(1, 2.0 + i), 3))
def named_tuples(p, k):
    q = p._replace(x=k)
    r = Point(y=1, x=k)
    return p.x + q.x, q, r._asdict(), r == (k, 1), p[1], len(p), Point._fields, [*p], r > q


@cases.add(lambda i: ({1, 2, 3}, 2 + i % 2), lambda: ({5}, 1), compiled=False)
def sets(s, k):
    t = {2, 3, 4}
    return (
        s & t,
        s | t,
        s - t,
        s ^ t,
        k in s,
        len(s),
        s <= t,
        {2} < t,
        s.union([9]),
        s == {3, 2, 1},
        t.isdisjoint({7}),
    )


@cases.add(lambda i: ({1, 2, 3}, 2 + i), compiled=False)
def set_methods(s, k):
    s.add(5)
    s.add(5)
    s.discard(1)
    s.discard(77)
    s.remove(2)
    u = set()
    u.add(3)
    u.update([4, 5])
    v = s.copy()
    v.clear()
    return len(s), u, v, bool(v), sorted(s), frozenset([1, 2]) | {3}, k


@cases.add(lambda i: ([3, 1, 3, 2 + i, 1],), compiled=False)
def dedupe(xs):
    seen = set()
    out = []
    for x in xs:
        if x not in seen:
            seen.add(x)
            out.append(x)
    return out, len(seen)


@cases.add(lambda i: (["b", "a", "b"], i))
def dedupe_strings(xs, n):
    seen = set()
    out = []
    for x in xs:
        if x not in seen:
            seen.add(x)
            out.append(x)
    return out, sorted(seen), {x for x in xs if x != "a"}, n


@cases.add(lambda i: ({"lr": 0.1, "layers": [{"w": nvec(3, i), "b": 0.5}]},))
def nested_config(cfg):
    layer = cfg["layers"][0]
    layer["w"] = layer["w"] * cfg["lr"] + layer["b"]
    layer["w"] += 1
    cfg["steps"] = cfg.get("steps", 0) + 1
    return cfg["layers"][0]["w"].sum()


@cases.add(lambda i: ({"a": vec(3, i), "b": vec(3, 2.0)}, 0.1))
def dict_of_arrays(params, lr):
    grads = {k: v * 2 for k, v in params.items()}
    new = {k: params[k] - lr * grads[k] for k in params}
    for k in params:
        params[k] = new[k]
    return sum(v.sum() for v in params.values())


@cases.add(lambda i: (i % 3,), lambda: (7,))
def table_lookup(k):
    table = {0: "zero", 1: "one", 2: "two"}
    names = {"zero": 1.5, "one": 2.5}
    word = table.get(k, "many")
    return word, names.get(word, 0.0), word.upper() if k else word


@cases.add(lambda i: (i % 4, 2.0 + i), lambda: (11, 1.0))
def dispatch_table(op, x):
    ops = {0: lambda v: v + 1, 1: lambda v: v * 2, 2: abs, 3: lambda v: -v}
    f = ops.get(op)
    return f(x) if f is not None else 0.0


@cases.add(lambda i: ({"a": 1, "b": i},))
def iteration_order(d):
    out = []
    for k in d:
        out.append(k)
    for k, v in reversed(list(d.items())):
        out.append((k, v))
    d["a"] = d.pop("a")
    out.extend(d.keys())
    return out, "-".join(d), dict(sorted(d.items())), list(reversed(d))


@cases.add(lambda i: (10 + i,), lambda: (3,), compiled=False)
def memo_dict(n):
    memo = {0: 0, 1: 1}
    for k in range(2, n + 1):
        memo[k] = memo[k - 1] + memo[k - 2]
    return memo[n], len(memo)


CACHE = {}


def _cache(_):
    CACHE.clear()
    for k in (1, 2, 1, 3, 1, 2, 3, 4, 1, 2, 3):
        yield (k,)


@cases.world(_cache, compiled=False)
def cache_by_run_time_key(k):
    if k not in CACHE:
        CACHE[k] = k * k
    return CACHE[k]


@cases.add(lambda i: ({"n": 0}, nvec(4, i)))
def counter_in_dict(stats, x):
    if x[0] > 2:
        stats["big"] = stats.get("big", 0) + 1
    stats["n"] += 1
    return stats["n"]


@cases.add(lambda i: (i,))
def keys_and_views(n):
    d = {"a": n, "b": 2}
    ks = d.keys()
    vs = d.values()
    d["c"] = 3
    return (
        list(ks),
        list(vs),
        "c" in ks,
        3 in d.values(),
        ("a", n) in d.items(),
        len(ks),
        d.keys() & {"a", "q"},
    )


@cases.add(lambda i: (8 + i,), lambda: (0,))
def of_run_time_pairs(n):
    evens = [k for k in range(n) if k % 2 == 0]
    odds = [k for k in range(n) if k % 2]
    found = dict(zip(evens, odds, strict=False))
    found.update(enumerate(odds))
    return found, dict(enumerate(odds))


@cases.add(lambda i: (f"abcab{i}",), lambda: ("",), lambda: ("zz",))
def last_seen(s):
    seen = {}
    start = best = 0
    for i, ch in enumerate(s):
        if ch in seen and seen[ch] >= start:
            start = seen[ch] + 1
        seen[ch] = i
        best = max(best, i - start + 1)
    return best, seen


@cases.add(lambda i: ([5, 3, 4, 3 + i % 3],), lambda: ([40, 8, 0],))
def sets_that_are_only_added_to(xs):
    found = set()
    for x in xs:
        found.add(x % 7)
    return {x + 1 for x in xs}, set(xs), {3, 4, 5, 40}, found, list({2, 5, 9})


test_program = cases.test()
