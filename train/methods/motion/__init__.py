"""A network of displacement fields."""
