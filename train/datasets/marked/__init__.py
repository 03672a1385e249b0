"""Clips of real people whose visible expressions are marked, and ways of playing them: faster, and weaker."""
