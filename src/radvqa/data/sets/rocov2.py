"""ROCOv2: radiology images of articles, their captions and UMLS concepts (Rückert et al., Scientific Data 2024)."""

from collections.abc import Mapping
from pathlib import Path

from radvqa.data.dataset import Download, Facts, Problems, Split, Version
from radvqa.data.pictures_by_stem import PicturesByStem
from radvqa.data.places import first_folder
from radvqa.data.table_rows import column_names, read_table
from radvqa.sample import Region, Sample

_SPLITS = {"train": Split(59_958, 59_958), "valid": Split(9_904, 9_904), "test": Split(9_927, 9_927)}
_SOURCE = "https://zenodo.org/records/10821435/files/"
_TABLES = ("captions", "concepts", "concepts_manual")
_MODALITIES = {  # UMLS concepts of the manually curated files
    "C0040405": "CT",
    "C0024485": "MRI",
    "C1306645": "X-Ray",
    "C0041618": "Ultrasound",
    "C0002978": "Angiography",
    "C0032743": "PET",
    "C1699633": "PET/CT",
}


class RocoV2:
    """ROCOv2 in the layout of its record: three CSV files a split, ``cui_mapping.csv`` and the unpacked images.

    The images are found in ``SPLIT_images/SPLIT/``, ``SPLIT_images/`` or ``SPLIT/``, as unpacking left them.
    """

    name = "rocov2"
    facts = Facts(
        title="ROCOv2: Radiology Objects in COntext, version 2",
        source="Rückert et al., Scientific Data 11:688, 2024; Zenodo 10821435, version 2.0.1",
        licence="CC BY-NC 4.0; the licence of each image is in license_information.csv",
        folder="rocov2",
        default="captions",
        versions={
            "captions": Version(
                "79,789 images of seven modalities with their captions.",
                _SPLITS,
                files=tuple(f"{split}_captions.csv" for split in _SPLITS),
            )
        },
        notes=(
            "The rows are captions: there is no question, and the answer is the caption.",
            "A copy with images inside Parquet files has 79,793 rows; the record has 79,789.",
            "Captions speak of arrows, of other parts of a figure and of earlier images, which nobody can see.",
            "The modality is that of the manually curated concepts; UMLS concepts come by `concepts`.",
        ),
        citation="Rückert J, Bloch L, Brüngel R, et al. ROCOv2: Radiology Objects in COntext Version 2, an Updated "
        "Multimodal Image Dataset. Scientific Data 11, 688 (2024). doi:10.1038/s41597-024-03496-6",
        address="https://zenodo.org/records/10821435",
        terms="Not for commercial use; UMLS concepts come under the licence of the UMLS Metathesaurus.",
        downloads=(
            *(Download(f"{_SOURCE}{s}_{t}.csv?download=1", f"{s}_{t}.csv") for s in _SPLITS for t in _TABLES),
            Download(f"{_SOURCE}cui_mapping.csv?download=1", "cui_mapping.csv"),
            Download(f"{_SOURCE}license_information.csv?download=1", "license_information.csv"),
            *(Download(f"{_SOURCE}{s}_images.zip?download=1", f"{s}_images", unpack=True) for s in _SPLITS),
        ),
        task="caption",
    )

    def load(self, folder: Path, version: str, problems: Problems) -> list[Sample]:
        """Read the captions of the three splits."""
        samples: list[Sample] = []
        for split in _SPLITS:
            pictures = PicturesByStem(first_folder(folder, (f"{split}_images/{split}", f"{split}_images", split)))
            modalities = _modalities(folder / f"{split}_concepts_manual.csv")
            path = folder / f"{split}_captions.csv"
            for number, (name, caption) in read_table(path, ("ID", "Caption"), problems):
                if not name or not caption:
                    problems.report(f"{path}, row {number}: the {'ID' if not name else 'Caption'} is empty.")
                    continue
                samples.append(
                    Sample(
                        id=f"rocov2/{version}/{split}/{name}",
                        dataset=f"rocov2:{version}",
                        split=split,
                        image=name,
                        image_path=_picture(pictures, name),
                        question="",
                        answer=caption,
                        answer_type="OPEN",
                        modality=modalities.get(name, ""),
                        task="caption",
                        source=f"{path}, row {number}",
                    )
                )
        return samples

    def regions(self, folder: Path, image: str) -> list[Region]:
        """ROCOv2 has no labelled regions."""
        return []

    def concepts(self, folder: Path, *, manual: bool = False) -> Mapping[str, tuple[str, ...]]:
        """Return the UMLS concepts of each image by image name, as names where ``cui_mapping.csv`` has one.

        Args:
            folder: where the data set lies.
            manual: the manually curated concepts (modality, body region, direction) instead of all.

        Raises:
            DataError: when a file is absent or lacks a column.
        """
        mapping = folder / "cui_mapping.csv"
        names = {code: name for _, (code, name) in read_table(mapping, column_names(mapping)[:2])}
        found = {}
        for split in _SPLITS:
            path = folder / f"{split}_concepts{'_manual' if manual else ''}.csv"
            for image, codes in _codes(path).items():
                found[image] = tuple(names.get(code, code) for code in codes)
        return found


def _codes(path: Path) -> dict[str, list[str]]:
    """Read ``ID, CUIs``: several codes are parted by semicolons."""
    return {
        image: [code.strip() for code in codes.split(";") if code.strip()]
        for _, (image, codes) in read_table(path, ("ID", "CUIs"))
    }


def _modalities(path: Path) -> dict[str, str]:
    """Read the modality of each image; captions can be used without, so the file may be absent."""
    if not path.is_file():
        return {}
    return {
        image: next((_MODALITIES[code] for code in codes if code in _MODALITIES), "")
        for image, codes in _codes(path).items()
    }


def _picture(pictures: PicturesByStem, name: str) -> Path:
    """Find an image by its ID, which has no ending; one that is absent is missed as the JPEG that was published."""
    path = pictures.path(name)
    return path if path.suffix else path.with_suffix(".jpg")


DATA_SET = RocoV2()
