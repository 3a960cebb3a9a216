"""The problems of a labelled set: sentences up to a number, and a count of the others."""

from patchcore.errors import shortened_sentence

MOST_PROBLEMS = 200
LONGEST_PROBLEM = 2_000  # characters


class Problems:
    """Collects sentences.

    Parameters
    ----------
    where
        The file or set that they are about.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self._sentences: list[str] = []
        self._further = 0

    def add(self, *sentences: str) -> None:
        """Keep sentences while there are few; count them beyond."""
        for sentence in sentences:
            if len(self._sentences) < MOST_PROBLEMS:
                self._sentences.append(shortened_sentence(sentence, LONGEST_PROBLEM))
            else:
                self._further += 1

    def sentences(self) -> list[str]:
        """Return the sentences, and one on the problems beyond them."""
        if not self._further:
            return list(self._sentences)
        noun = "problem is" if self._further == 1 else "problems are"
        return [*self._sentences, f"{self.where}: {self._further:,} further {noun} not listed."]
