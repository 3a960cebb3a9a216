"""The words for good parts, defects, masks, background and splits, in names of folders and in labels of tables.

A site adds words of its own through two environment variables, each a list with commas: ``PATCHCORE_GOOD_WORDS`` and
``PATCHCORE_DEFECT_WORDS``. The command line, the dashboard and its jobs read both.
"""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from patchcore.errors import DataError
from patchcore.images.file_names import composed, quoted

Kind = Literal["good", "defect"]
Split = Literal["train", "validation", "test"]

GOOD: Kind = "good"
DEFECT: Kind = "defect"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Words are written without spaces, dots and hyphens, in lower case: "n.i.O." is "nio".
GOOD_WORDS = frozenset(
    _listed("""
    0 false good ok okay okey normal normals nominal pass passed accept accepted none nodefect nodefects
    noanomaly noanomalies nofault noerror nodamage defectfree faultfree anomalyfree flawless faultless clean fine
    intact healthy undamaged nondefective notdefective perfect conform conforming compliant inlier inliers
    io inordnung gut gute guter gutes gutteil gutteile fehlerfrei fehlerlos mangelfrei einwandfrei unbeschädigt
    konform keinfehler ohnefehler ohnebefund
    bon bons bonne bonnes conforme conformes sansdéfaut buono buoni buona buone conformi bueno buenos buena buenas
    correcto correctos bom aprovado aprobado goed goedgekeurd dobry dobre dobra godkänd godkendt
    良品 良 合格 合格品 正常 正常品 양품 정상
    """)
)
DEFECT_WORDS = frozenset(
    _listed("""
    1 true bad ng nok ko notok nook notgood nogood defect defects defected defective defectives anomaly anomalies
    anomalous abnormal abnormals abnormality notnormal fail fails failed failure failures reject rejects rejected
    fault faults faulty flaw flaws flawed damage damaged broken scrap nonconforming noncompliant outlier outliers
    error errors
    nio nichtio nichtok nichtinordnung nichtgut schlecht schlechte schlechter schlechtteil schlechtteile fehler
    fehlerhaft fehlerhafte fehlerteil fehlerteile defekt defekte defekter ausschuss ausschussteile mangelhaft mängel
    anomalie anomalien beschädigt schaden schäden nichtkonform
    mauvais mauvaise défaut défauts defaut défectueux nonconforme nonconformes rebut difetto difetti difettoso
    difettosi scarto scarti malo malos mala malas defecto defectos defectuoso defectuosos rechazado defeito defeitos
    defeituoso reprovado afgekeurd zły wada wady underkänd
    不良 不良品 不合格 不合格品 异常 異常 缺陷 欠陥 불량 불량품
    """)
)
MASK_WORDS = frozenset(
    _listed("""
    groundtruth groundtruths gt gts mask masks maske masken masque masques defectmask defectmasks binarymask
    binarymasks annotation annotations segmentation segmentations segmentationmask segmentationmasks label labels
    """)
)
BACKGROUND_WORDS = frozenset(
    _listed("""
    background backgrounds bg hintergrund untergrund arrièreplan fond fondo sfondo ignore ignored ignoriert void
    unlabeled unlabelled
    """)
)
# Words that say nothing about what a folder holds: "good_parts" is "good".
FILLERS = frozenset(
    _listed("""
    part parts piece pieces image images img imgs picture pictures photo photos sample samples example examples
    product products item items data dataset set only class label
    teil teile bild bilder foto fotos aufnahme aufnahmen muster klasse stück stücke
    """)
)
SPLITS: Mapping[str, Split] = {
    "train": "train",
    "training": "train",
    "trainset": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
    "testset": "test",
}
OF_SPLITS = frozenset({"public", "private", "mixed"})  # MVTec AD 2: test_public, test_private_mixed
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "file": _listed(
        "file filename filepath image imagefile imagefilename imagename imagepath img imgname imgpath path picture "
        "photo datei dateiname dateipfad pfad bild bilddatei bildname bildpfad fichier name"
    ),
    "label": _listed(
        "label labels class classname klasse truth groundtruthlabel anomaly isanomaly anomalylabel defect isdefect "
        "defective status verdict result target defecttype anomalytype defekt fehler fehlerart befund bewertung "
        "ergebnis kategorie category typ type"
    ),
    "mask": _listed(
        "mask maskfile maskfilename maskname maskpath maske maskendatei maskenpfad groundtruth groundtruthpath gt "
        "gtpath segmentation"
    ),
    "split": _listed("split subset partition phase"),
}
"""Role of a column -> its names, the preferred first, written like words."""

LONGEST_LABEL = 64  # characters, as the database has room for
MOST_NAMED = 50  # labels of a set in one sentence

_NUMBER = re.compile(r"\s*([01])(?:[.,]0*)?\s*")  # 0, 1, 0.0, "1,00"; not 01, the name of a product in BTAD
_PARTS = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Vocabulary:
    """The words in force, from `vocabulary`."""

    good: frozenset[str]
    defect: frozenset[str]

    def kind(self, label: str) -> Kind | None:
        """Tell whether a label or a folder's name means good or defect; None for any other word, such as "scratch"."""
        for key in dict.fromkeys((_whole(label), _telling(label))):
            if key in self.good:
                return GOOD
            if key in self.defect:
                return DEFECT
        return None

    def split(self, name: str) -> Split | None:
        """Tell which split a folder or a table's cell names: "train", "test_public", "Test bad"; None for none."""
        first, *rest = _words(name) or [""]
        if first not in SPLITS:
            return None
        plain = all(word in FILLERS | OF_SPLITS or word.isdecimal() for word in rest)
        return SPLITS[first] if plain or self.kind(" ".join(rest)) else None

    def defect_type(self, label: str) -> str:
        """Return the type that a table's label means: "good", "defect" for a word without a type, else the label."""
        return self.kind(label) or short_label(label)


def vocabulary(good: Iterable[str] = (), environ: Mapping[str, str] = os.environ) -> Vocabulary:
    """Return the words in force: the program's, the site's, and further words for good parts.

    Parameters
    ----------
    good
        Labels that the user has called good; they outweigh every list.
    environ
        Holds ``PATCHCORE_GOOD_WORDS`` and ``PATCHCORE_DEFECT_WORDS``, which outweigh the program's lists.
    """
    site_good, site_defect = (
        {_whole(word) for word in re.split("[,;]", environ.get(f"PATCHCORE_{kind}_WORDS", ""))} - {""}
        for kind in ("GOOD", "DEFECT")
    )
    chosen = {_whole(word) for word in good}
    return Vocabulary(
        frozenset((GOOD_WORDS - site_defect) | site_good | chosen),
        frozenset((DEFECT_WORDS - site_good) | site_defect) - chosen,
    )


def short_label(label: str) -> str:
    """Return a label as it is kept: on one line, composed, and cut in the middle beyond `LONGEST_LABEL` characters."""
    return quoted(composed(label), LONGEST_LABEL)


def is_mask_folder(name: str) -> bool:
    """Whether a folder holds masks, by its name."""
    return _whole(name) in MASK_WORDS or _telling(name) in MASK_WORDS


def marks_nothing(label: str, words: Vocabulary) -> bool:
    """Whether a class in an annotation file is no defect: a word for good parts or for background."""
    return _whole(label) in BACKGROUND_WORDS or words.kind(label) == GOOD


def columns_of(header: Iterable[str]) -> dict[str, int]:
    """Find the columns of a table of labels: role (a key of `COLUMNS`) -> position."""
    names = [_whole(name) for name in header]
    places = {role: (names.index(word) for word in words if word in names) for role, words in COLUMNS.items()}
    found = {role: next(place, None) for role, place in places.items()}
    return {role: place for role, place in found.items() if place is not None}


@dataclass(frozen=True)
class WrittenLabels:
    """The labels of a set as they were written, each with its number of images."""

    good: Mapping[str, int]
    defect: Mapping[str, int]

    @property
    def sentence(self) -> str:
        """Which labels were taken as good and which as defects."""
        return f"Taken as good: {_counted(self.good)}. Taken as defects: {_counted(self.defect)}."

    def to_dict(self) -> dict[str, dict[str, int]]:
        """Return plain values for machines."""
        return {"good": dict(self.good), "defect": dict(self.defect)}


def written_labels(labels: Iterable[tuple[str, bool]]) -> WrittenLabels:
    """Count labels, each with whether it was taken as a defect."""
    good, defect = Counter[str](), Counter[str]()
    for label, is_defect in labels:
        (defect if is_defect else good)[short_label(label)] += 1
    return WrittenLabels(good, defect)


class NothingGood(DataError):
    """No image of a labelled set is good, so there is nothing to tell defects from.

    Parameters
    ----------
    where
        The set as the user knows it.
    counts
        Its labels.
    """

    def __init__(self, where: str, counts: WrittenLabels) -> None:
        super().__init__(
            f"{where}: no label means a good part. Labels found: {_counted(counts.defect)}. Add good images under a "
            "label such as good, ok or 0, or name your word for good parts in the environment variable "
            "PATCHCORE_GOOD_WORDS."
        )
        self.labels = tuple(counts.defect)


def require_good(where: str, counts: WrittenLabels) -> None:
    """Refuse a labelled set without a good image.

    Raises
    ------
    NothingGood
        There are labels, and none of them means good.
    """
    if counts.defect and not counts.good:
        raise NothingGood(where, counts)


def _words(name: str) -> list[str]:
    return _PARTS.findall(unicodedata.normalize("NFKC", name).casefold())


def _whole(name: str) -> str:
    number = _NUMBER.fullmatch(name)
    return number[1] if number else "".join(_words(name))


def _telling(name: str) -> str:
    """Return a name without fillers, splits and numbers: "01 Good parts" and "test_good" are "good"."""
    silent = FILLERS | SPLITS.keys()
    return "".join(word for word in _words(name) if word not in silent and not word.isdecimal())


def _counted(labels: Mapping[str, int]) -> str:
    first = ", ".join(f"{label} ({count:,})" for label, count in list(labels.items())[:MOST_NAMED]) or "none"
    return first if len(labels) <= MOST_NAMED else f"{first} and {len(labels) - MOST_NAMED:,} further labels"
