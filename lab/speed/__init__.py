"""How long the product takes and how much memory, beside its peers and beside what bounds it."""
