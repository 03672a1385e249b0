"""The whole chain on long videos with known events: spotting, recognition and both together, at each frame rate."""
