"""What `python -m realtime bench` measures on this machine."""
