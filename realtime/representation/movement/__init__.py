"""How a face moved between two pictures: dense flow without the head's part, its fields, and what is read off them."""
