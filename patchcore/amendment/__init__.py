"""A fitted model with further images taught, or without some of its good images."""
