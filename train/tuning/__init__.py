"""The detector's settings, chosen on videos of some people and judged on those of others."""
