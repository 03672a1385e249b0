"""Adaptive key-frame mining: which frames of an event tell what it is, and what they say (AKMNet)."""
