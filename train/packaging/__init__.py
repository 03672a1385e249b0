"""A trained network -> an engine package that proves what it answers, and other servers' forms of it."""
