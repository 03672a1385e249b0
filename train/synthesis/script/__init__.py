"""What faces, heads and hands do, and when."""
