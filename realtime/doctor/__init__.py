"""What this machine has and what it lacks for Glimpse: a line for each thing, with what to do about it.

A file a check. Each looks, and judges what it saw in a function that takes plain values, which is what its tests
give it. A report shows no password, no picture and no key.
"""
