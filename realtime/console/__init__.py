"""What the command lines share: how they look, which options they have, and how they end."""
