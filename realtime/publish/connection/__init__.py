"""What each end of the wire has in common: sockets, addresses, keys, and what goes wrong with them."""
