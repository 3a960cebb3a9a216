"""Commands that are run by hand: what was measured of the product, and how; nothing in the product imports them."""
