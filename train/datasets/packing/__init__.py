"""The files that recipes need, made of what public repositories hold."""
