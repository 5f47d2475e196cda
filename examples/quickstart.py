"""What ``janus.jit`` keeps: branches on data, objects that change, shapes that vary."""

import numpy as np

import janus_mlir as janus


class Smoother:
    """Keeps a running mean, and counts what it clipped."""

    def __init__(self) -> None:
        self.mean = np.zeros(4)
        self.clipped = 0


@janus.jit
def smooth(smoother: Smoother, batch: np.ndarray) -> np.ndarray:
    centre = batch.mean(axis=0)
    if np.abs(centre).max() > 1.0:  # decided by the data, at run time
        centre = np.clip(centre, -1.0, 1.0)
        smoother.clipped += 1
    smoother.mean = 0.9 * smoother.mean + 0.1 * centre
    return batch - smoother.mean


smoother = Smoother()
random = np.random.default_rng(0)
for call in range(12):
    rows = 8 if call < 6 else 8 + call  # the shape starts to vary
    scale = 5.0 if call in (4, 9) else 0.5  # and these are clipped
    result = smooth(smoother, scale * random.normal(size=(rows, 4)))
    print(
        f"call {call:2}: shape {result.shape}, mean {smoother.mean.mean():+.4f}, clipped {smoother.clipped}"
    )
print(smooth.explain())
