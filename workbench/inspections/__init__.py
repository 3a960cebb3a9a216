"""Images judged by an inspector: batches, their results, the history and its labels."""
