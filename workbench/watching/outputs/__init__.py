"""Outputs of watching: what is done with a file that has its verdict, one file each; `registry` lists them."""
