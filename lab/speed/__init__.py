"""Time and memory of the product, beside its peers and beside the machine's limits."""
