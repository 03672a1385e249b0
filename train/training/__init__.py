"""How networks are fitted: one loop for all, and random changes of what they are shown."""
