"""From function objects to three-address code, and back into the middle of a function."""
