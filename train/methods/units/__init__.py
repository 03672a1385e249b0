"""Which action units moved: a linear read-out of displacement fields."""
