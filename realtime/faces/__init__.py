"""Frames -> faces that keep their ids, their landmarks and quality, and each face cut to one canonical position."""
