"""How the shipped engines do on real faces: clips whose expressions were marked by hand, at several speeds and strengths."""
