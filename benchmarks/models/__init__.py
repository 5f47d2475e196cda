"""The eleven programs of the JANUS paper, and what a user would pick instead of Janus."""
