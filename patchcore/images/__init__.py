"""Any file to float32 RGB, its way into the network's input, and back to the original's pixels."""
