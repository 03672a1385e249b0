"""One file a published method: its citation, what differs from the source, prepare, fit, export."""
