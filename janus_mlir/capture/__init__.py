"""From Python functions to typed IR: reading, three-address code, symbolic interpretation."""
