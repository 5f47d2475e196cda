"""The examples do compiled what they do plain."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import janus_mlir as janus

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def printed(**environment: str) -> list[str]:
    result = subprocess.run(
        [sys.executable, str(EXAMPLES / "quickstart.py")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.splitlines()


def test_quickstart() -> None:
    plain, compiled = printed(JANUS_DISABLE="1"), printed()
    calls = [line for line in plain if line.startswith("call ")]
    assert len(calls) == 12
    assert compiled[:12] == calls
    assert any("batch: numpy float64[d0, 4]" in line for line in compiled)


def test_training_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    digits = pytest.importorskip("digits")
    images, labels = (jnp.asarray(part) for part in digits.load()["train"])

    def train(step):
        model = digits.LeNet(jax.random.key(0))
        optimizer, monitor = digits.Adam(model.params, rate=1e-3), digits.Monitor()
        # So that the rule fires in the sixth step, when the step has been compiled.
        monitor.running, monitor.threshold = 10.0, 8.4
        for first in range(0, 8 * digits.BATCH, digits.BATCH):
            batch = slice(first, first + digits.BATCH)
            step(model, optimizer, monitor, images[batch], labels[batch])
        return monitor.losses, optimizer.rate

    losses, rate = train(digits.step)
    assert rate < 1e-3
    for warmup in (0, 2):
        jitted = janus.jit(digits.step, warmup=warmup)
        jitted_losses, jitted_rate = train(jitted)
        np.testing.assert_allclose(jitted_losses, losses, rtol=1e-4)
        assert jitted_rate == rate
        if janus.config.stress is not None:
            continue
        # Both ways of the rule are compiled, although only one has been profiled.
        assert jitted.stats.deopts == 0
        assert jitted.stats.compiled_calls == 8 - warmup
        assert not jitted.explain().breaks
