"""One folder a method: its citation, what differs from the source, its network and its training."""
