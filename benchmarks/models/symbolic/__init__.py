"""The programs as pure functions under `jax.jit`, written by hand."""
