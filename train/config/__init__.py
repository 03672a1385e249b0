"""Configurations: sections that methods share, and how files become settings."""
