"""What warm-up calls do: branch counts, trip counts and callees."""
