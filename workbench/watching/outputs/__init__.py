"""Outputs of watching: each acts on files that have their verdict. One module an output; `registry` lists them."""
