"""Files on a disk that other programs use too, whole or not there."""
