"""Portraits brought to life: facial actions, when they happen, and the warp that shows them."""
