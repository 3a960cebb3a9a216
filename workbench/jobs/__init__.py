"""Work that takes more than a second: rows, a queue, and a process for each."""
