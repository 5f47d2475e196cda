"""Linalg modules for tests and measurements, by operation and shape. A dim of None is dynamic."""

from __future__ import annotations

from collections.abc import Sequence

ENTRY = "attributes {janus.entry, janus.return_site = 0 : i32}"

Shape = Sequence[int | None]


def tensor(shape: Shape, element: str = "f32") -> str:
    """The tensor type."""
    return "tensor<" + "".join(("?" if d is None else str(d)) + "x" for d in shape) + element + ">"


def zero(element: str) -> str:
    """The literal for zero."""
    return "0" if element.startswith("i") else "0.0"


def contraction(spec: str, shapes: Sequence[Shape], element: str = "f32") -> str:
    """``einsum(spec, x, y)`` as one generic; dims are letters, static unless None."""
    inputs, output = spec.split("->")
    operands = inputs.split(",")
    sizes = {
        letter: d
        for names, shape in zip(operands, shapes, strict=True)
        for letter, d in zip(names, shape, strict=True)
    }
    letters = list(output) + [c for c in dict.fromkeys("".join(operands)) if c not in output]
    dims = ", ".join(letters)
    maps = ", ".join(f"affine_map<({dims}) -> ({', '.join(names)})>" for names in [*operands, output])
    kinds = ", ".join('"parallel"' if c in output else '"reduction"' for c in letters)
    types = [tensor(s, element) for s in shapes]
    result = tensor([sizes[c] for c in output], element)
    lines, dynamic = [], []
    for c in output:
        if sizes[c] is None:
            source = next(i for i, names in enumerate(operands) if c in names)
            position = operands[source].index(c)
            lines.append(f"%p_{c} = arith.constant {position} : index")
            lines.append(f"%d_{c} = tensor.dim %x{source}, %p_{c} : {types[source]}")
            dynamic.append(f"%d_{c}")
    mul, add = ("arith.muli", "arith.addi") if element.startswith("i") else ("arith.mulf", "arith.addf")
    args = ", ".join(f"%x{i}: {t}" for i, t in enumerate(types))
    body = f"%m = {mul} %a, %b : {element}" if len(types) == 2 else ""
    block = (
        f"%a: {element}, %b: {element}, %c: {element}" if len(types) == 2 else f"%m: {element}, %c: {element}"
    )
    lines_text = "\n      ".join(lines)
    return f"""func.func @f({args}) -> {result} {ENTRY} {{
      {lines_text}
      %e = tensor.empty({", ".join(dynamic)}) : {result}
      %z = arith.constant {zero(element)} : {element}
      %i = linalg.fill ins(%z : {element}) outs(%e : {result}) -> {result}
      %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}}
        ins({", ".join(f"%x{i}" for i in range(len(types)))} : {", ".join(types)}) outs(%i : {result}) {{
        ^bb0({block}):
          {body}
          %s = {add} %c, %m : {element}
          linalg.yield %s : {element}
      }} -> {result}
      return %r : {result}
    }}"""


def convolution(
    n: int,
    h: int,
    w: int,
    c: int,
    kh: int,
    kw: int,
    f: int,
    stride: int = 1,
    layout: str = "NHWC",
    wrt: str = "output",
) -> str:
    """A convolution without padding, or the gradient of its sum product with respect to an operand."""
    oh, ow = (h - kh) // stride + 1, (w - kw) // stride + 1
    nhwc = layout == "NHWC"
    x = [n, h, w, c] if nhwc else [n, c, h, w]
    k = [kh, kw, c, f] if nhwc else [f, c, kh, kw]
    y = [n, oh, ow, f] if nhwc else [n, f, oh, ow]
    rows = f"oh * {stride} + kh, ow * {stride} + kw"
    maps = {
        "x": f"(n, {rows}, c)" if nhwc else f"(n, c, {rows})",
        "k": "(kh, kw, c, f)" if nhwc else "(f, c, kh, kw)",
        "y": "(n, oh, ow, f)" if nhwc else "(n, f, oh, ow)",
    }
    if wrt == "output":
        order = "n, oh, ow, f, kh, kw, c" if nhwc else "n, f, oh, ow, c, kh, kw"
        operands, out, parallel = ("x", "k"), "y", ["n", "oh", "ow", "f"]
    else:
        order = "kh, kw, c, f, n, oh, ow" if nhwc else "f, c, kh, kw, n, oh, ow"
        operands, out, parallel = ("x", "y"), "k", ["kh", "kw", "c", "f"]
    types = {"x": tensor(x), "k": tensor(k), "y": tensor(y)}
    kinds = ", ".join('"parallel"' if d.strip() in parallel else '"reduction"' for d in order.split(","))
    all_maps = ", ".join(f"affine_map<({order}) -> {maps[o]}>" for o in (*operands, out))
    a, b = operands
    return f"""func.func @f(%a: {types[a]}, %b: {types[b]}) -> {types[out]} {ENTRY} {{
      %e = tensor.empty() : {types[out]}
      %z = arith.constant 0.0 : f32
      %i = linalg.fill ins(%z : f32) outs(%e : {types[out]}) -> {types[out]}
      %r = linalg.generic {{indexing_maps = [{all_maps}], iterator_types = [{kinds}]}}
        ins(%a, %b : {types[a]}, {types[b]}) outs(%i : {types[out]}) {{
        ^bb0(%p: f32, %q: f32, %o: f32):
          %m = arith.mulf %p, %q : f32
          %s = arith.addf %o, %m : f32
          linalg.yield %s : f32
      }} -> {types[out]}
      return %r : {types[out]}
    }}"""


def reduction(
    shape: Shape, axes: Sequence[int], op: str = "arith.addf", init: str = "0.0", element: str = "f32"
) -> str:
    """One array reduced over some axes."""
    rank = len(shape)
    dims = ", ".join(f"d{i}" for i in range(rank))
    kept = [i for i in range(rank) if i not in axes]
    source, result = tensor(shape, element), tensor([shape[i] for i in kept], element)
    kinds = ", ".join('"reduction"' if i in axes else '"parallel"' for i in range(rank))
    lines = [
        f"%p{i} = arith.constant {i} : index\n      %n{i} = tensor.dim %x, %p{i} : {source}"
        for i in kept
        if shape[i] is None
    ]
    sizes = ", ".join(f"%n{i}" for i in kept if shape[i] is None)
    lines_text = "\n      ".join(lines)
    return f"""func.func @f(%x: {source}) -> {result} {ENTRY} {{
      {lines_text}
      %e = tensor.empty({sizes}) : {result}
      %z = arith.constant {init} : {element}
      %i = linalg.fill ins(%z : {element}) outs(%e : {result}) -> {result}
      %r = linalg.generic {{indexing_maps = [affine_map<({dims}) -> ({dims})>,
          affine_map<({dims}) -> ({", ".join(f"d{i}" for i in kept)})>], iterator_types = [{kinds}]}}
        ins(%x : {source}) outs(%i : {result}) {{
        ^bb0(%a: {element}, %c: {element}):
          %s = {op} %c, %a : {element}
          linalg.yield %s : {element}
      }} -> {result}
      return %r : {result}
    }}"""


def elementwise(
    shape: Shape, ops: Sequence[str], inputs: int = 1, element: str = "f32", maps: Sequence[str] = ()
) -> str:
    """A chain of tensor ops, each a generic of its own; ``ops`` are written on %0, %1, ... with %i, %j as sources.

    Each op is ``"name source [source]"`` with sources ``x0`` or ``t0`` for inputs and earlier results.
    """
    kind = tensor(shape, element)
    dims = ", ".join(f"d{i}" for i in range(len(shape)))
    identity = f"affine_map<({dims}) -> ({dims})>"
    lines = []
    if any(d is None for d in shape):
        for i, d in enumerate(shape):
            if d is None:
                lines.append(
                    f"%p{i} = arith.constant {i} : index\n      %n{i} = tensor.dim %x0, %p{i} : {kind}"
                )
    sizes = ", ".join(f"%n{i}" for i, d in enumerate(shape) if d is None)
    iterators = ", ".join(['"parallel"'] * len(shape))
    for i, text in enumerate(ops):
        name, *sources = text.split()
        block = ", ".join(f"%a{j}: {element}" for j in range(len(sources)))
        lines.append(f"""%e{i} = tensor.empty({sizes}) : {kind}
      %t{i} = linalg.generic {{indexing_maps = [{", ".join([identity] * (len(sources) + 1))}], iterator_types = [{iterators}]}}
        ins({", ".join("%" + s for s in sources)} : {", ".join([kind] * len(sources))}) outs(%e{i} : {kind}) {{
        ^bb0({block}, %o: {element}):
          %s = {name} {", ".join(f"%a{j}" for j in range(len(sources)))} : {element}
          linalg.yield %s : {element}
      }} -> {kind}""")
    args = ", ".join(f"%x{i}: {kind}" for i in range(inputs))
    body = "\n      ".join(lines)
    return f"""func.func @f({args}) -> {kind} {ENTRY} {{
      {body}
      return %t{len(ops) - 1} : {kind}
    }}"""
