"""Fields of the pages: numbers as people type them, and values that the page sets as well as the user."""
