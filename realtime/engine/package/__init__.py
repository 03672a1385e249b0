"""The engine package: what lies in its folder, and what must hold between that and what is asked of it."""
