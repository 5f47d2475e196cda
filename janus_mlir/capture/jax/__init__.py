"""Calls into JAX: traced once, and kept as one op of the graph."""
