"""The recogniser, as the page hears of it and asks it."""
