"""Data sets: pictures and clips that were recorded, and who is trained on and who is tested."""
