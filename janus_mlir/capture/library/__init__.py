"""What is captured in place of builtins: written in Python, as the user's code is."""
