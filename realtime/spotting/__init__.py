"""Crops -> how likely an expression is under way, and from that its onset, apex and offset."""
