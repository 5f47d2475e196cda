"""Where compiled code is entered and left: sources, guards at the entry, frame states, sites."""
