"""Files on a disk that other programs use too."""
