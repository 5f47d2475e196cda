"""The programs, as imperative Python."""
