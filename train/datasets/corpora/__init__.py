"""One file a data set; each says where its users get it and what its annotations get wrong."""
