"""janus-opt answers whatever it is given with a diagnostic and exit code 1, never with a crash."""

import random
import re
import subprocess
from pathlib import Path

import pytest

# Bounds each run: a driver that hangs on bad input fails the test.
SECONDS = 120


def run(janus_opt: str, text: bytes, *flags: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [janus_opt, "-", *flags], input=text, capture_output=True, timeout=SECONDS, check=False
    )


def refuses(result: subprocess.CompletedProcess[bytes]) -> None:
    assert result.returncode == 1, result.stderr[-2000:]
    assert b"error:" in result.stderr


@pytest.mark.parametrize(
    "text",
    [
        b"garbage",
        b"\x00\xff\xfe\x80",
        b"func.func @f(",
        b"{" * 200,
        b'module { "janus.guard"() : () -> () }',
        b"func.func @f(%c: i1) { janus.guard %c, <branch>, site 99999999999 return }",
        b"func.func @f(%c: i1) { janus.guard %c, <branch>, site 0 (%nowhere : i64) return }",
        b"func.func @f(%c: i1) -> i64 { return %c : i1 }",
        b"func.func @f(%c: f32) { janus.record site 0 (%c : tensor<4xf32>) return }",
        b"func.func @f() attributes {janus.entry = 3 : i32} { return }",
        b'"builtin.module"() ({ "janus.truth"() : () -> i1 }) : () -> ()',
        b'func.func @f(%a: i64) { %0 = "janus.add_overflow"(%a) : (i64) -> i64 return }',
        b"#x = #janus.branch<taken = 1>",
        b"#x = #janus.kind<nothing>",
        b"func.func @f(%x: !janus.thing) { return }",
        b"func.func @f(%x: tensor<4xf32>) { lax.nothing %x return }",
    ],
)
def test_refuses(janus_opt: str, text: bytes) -> None:
    refuses(run(janus_opt, text))


def test_empty_input_is_an_empty_module(janus_opt: str) -> None:
    result = run(janus_opt, b"")
    assert result.returncode == 0
    assert result.stdout.strip() == b"module {\n}"


def test_missing_file(janus_opt: str, tmp_path: Path) -> None:
    command = [janus_opt, str(tmp_path / "none.mlir")]
    result = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    assert result.returncode == 1
    assert b"cannot open" in result.stderr


def test_unknown_option(janus_opt: str) -> None:
    result = run(janus_opt, b"", "--janus-phase-nowhere")
    assert result.returncode == 1
    assert b"Unknown command line argument" in result.stderr


def survives(janus_opt: str, modules: list[str], *flags: str) -> None:
    """All modules in one process; each is parsed and run on its own."""
    result = run(janus_opt, "\n// -----\n".join(modules).encode(), "--split-input-file", *flags)
    assert result.returncode in (0, 1), result.stderr[-2000:]
    # Exit code 1 also says that a signal handler ran: a crash leaves its stack dump.
    assert b"Stack dump" not in result.stderr
    assert b"PLEASE submit a bug report" not in result.stderr


each_phase = pytest.mark.parametrize(
    "flags",
    [(), ("--janus-phase-speculated",), ("--janus-phase-llvm",)],
    ids=["parse", "speculated", "llvm"],
)


@each_phase
@pytest.mark.parametrize("seed", range(3))
def test_survives_truncation(janus_opt: str, corpus: list[str], seed: int, flags: tuple[str, ...]) -> None:
    rng = random.Random(seed)
    survives(janus_opt, [text[: rng.randrange(len(text) + 1)] for text in corpus for _ in range(3)], *flags)


TOKEN = re.compile(r"\s+|//[^\n]*|[%@#!^]?[\w.$]+|.", re.DOTALL)


def mutate(text: str, rng: random.Random) -> str:
    """Drop, double, swap or replace a few tokens."""
    tokens = TOKEN.findall(text)
    for _ in range(rng.randint(1, 3)):
        places = [i for i, token in enumerate(tokens) if token.strip() and not token.startswith("//")]
        if len(places) < 2:
            break
        a, b = rng.sample(places, 2)
        match rng.randrange(4):
            case 0:
                del tokens[a]
            case 1:
                tokens.insert(a, tokens[a])
            case 2:
                tokens[a], tokens[b] = tokens[b], tokens[a]
            case _:
                tokens[a] = rng.choice(["i64", "f32", "tensor<2x?xf32>", "-1", "0", "<", ")", "%c", "site"])
    return "".join(tokens)


@each_phase
@pytest.mark.parametrize("seed", range(3))
def test_survives_mutation(janus_opt: str, corpus: list[str], seed: int, flags: tuple[str, ...]) -> None:
    rng = random.Random(seed)
    survives(janus_opt, [mutate(text, rng) for text in corpus for _ in range(3)], *flags)
