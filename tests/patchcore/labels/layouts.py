"""Folders of products to build from, for the command line and the dashboard alike."""

TREES = (
    (("train/good", "test/good", "test/hole", "ground_truth/hole"), {"train/good"}),
    (("OK", "NG"), {"OK"}),
    (("gut", "Kratzer", "Masken/Kratzer"), {"gut"}),
    (("i.O.", "n.i.O."), {"i.O."}),
    (("Data/Images/Normal", "Data/Images/Anomaly", "Data/Masks/Anomaly"), {"Data/Images/Normal"}),
    (("train/ok", "test/ok", "test/ko", "ground_truth/ko"), {"train/ok"}),
    (("train/good/rgb", "train/good/xyz", "test/cut/rgb", "test/cut/gt"), {"train/good/rgb"}),
    (("train/good", "validation/good", "test_public/good", "test_public/bad"), {"train/good"}),
    (("train", "test/good", "test/bad"), {"train"}),
    (("test/good", "test/dent"), {"test/good"}),
    (("passed/day 1", "passed/day 2", "failed"), {"passed/day 1", "passed/day 2"}),
    (("0", "1"), {"0"}),
    (("monday", "defects"), {"monday"}),
    (("pieces", "test/dent", "ground_truth/dent"), {"pieces"}),
)
"""(folders of images, those taken)"""
ROOTS_OF_DEFECTS = (
    ("", ("bad", "ng/day 1")),
    ("", ("schlecht", "n.i.O.")),
    ("ground_truth", ("hole", "crack")),
    ("NIO", ("",)),
    ("anomalies", ("monday", "tuesday")),
    ("", ("test/hole", "ground_truth/hole")),
)
"""(name of the folder, folders within); all hold defects or masks."""
