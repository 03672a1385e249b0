"""Who may come in: the gate, logins, and places with a line before them."""
