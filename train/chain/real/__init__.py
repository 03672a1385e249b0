"""The shipped engines on real faces: clips whose expressions were marked, at several speeds and strengths."""
