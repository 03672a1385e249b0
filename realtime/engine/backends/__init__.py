"""One module a library that computes packages, and what GPUs need around it."""
