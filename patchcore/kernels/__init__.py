"""Compiled distances, exact search, greedy loops and prefetching; nothing here knows of images."""
