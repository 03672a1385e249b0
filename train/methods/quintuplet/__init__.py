"""A mask of action units, pictures and flow held against each other, and quintuplets of micro and macro."""
