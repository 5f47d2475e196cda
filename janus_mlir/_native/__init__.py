"""The native parts of Janus: the compiler (`_compiler`) and the dispatcher (`_runtime`)."""
