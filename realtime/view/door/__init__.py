"""What a connection may cost before anybody knows what it wants: how many, and how long each may keep one waiting."""
