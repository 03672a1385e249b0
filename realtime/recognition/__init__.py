"""A window of what a face did, and what engines make of an event in it."""
