"""Containers and arrays whose size only run time knows, held in tensors."""
