"""Files that appear whole or not at all, work shared among processes, and which code made something."""
