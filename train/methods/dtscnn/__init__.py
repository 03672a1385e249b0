"""A network of flow at two scales of time."""
