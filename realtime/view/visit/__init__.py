"""One browser, and the cameras that browsers watch."""
