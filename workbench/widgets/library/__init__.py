"""The pages Library and Home."""
