"""What data sets of clips give: rows of a table and a tree of pictures -> samples, or all that is wrong with them."""
