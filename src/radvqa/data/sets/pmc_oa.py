"""PMC-OA: figures of biomedical articles, cut into subfigures, with captions (Lin et al., MICCAI 2023)."""

import re
from pathlib import Path

from radvqa.data.dataset import Download, Facts, Problems, Split, Version
from radvqa.data.pictures_by_stem import PicturesByStem
from radvqa.data.places import first_folder
from radvqa.data.table_rows import read_table
from radvqa.sample import Region, Sample

_FILES = {
    "separated": {"train": "pmc_oa.jsonl"},
    "beta": {"train": "pmc_oa_beta.jsonl"},
    "beta_split": {"train": "train.jsonl", "valid": "valid.jsonl", "test": "test.jsonl"},
}
_PICTURES = "caption_T060_filtered_top4_sep_v0_subfigures"
_ARTICLE = re.compile(r"PMC\d+")
_SOURCE = "https://huggingface.co/datasets/axiong/pmc_oa/resolve/main/"


def _version(summary: str, name: str) -> Version:
    return Version(summary, dict.fromkeys(_FILES[name], Split(0, 0)), files=tuple(_FILES[name].values()))


class PmcOa:
    """PMC-OA in its published layout: JSON lines beside the unpacked ``images.zip``."""

    name = "pmc_oa"
    facts = Facts(
        title="PMC-OA: image–caption pairs of the PubMed Central Open Access Subset",
        source="Lin et al., PMC-CLIP, MICCAI 2023, arXiv 2303.07240",
        licence="that of each article of the PMC Open Access Subset; see the publishers' page for the whole",
        folder="pmc_oa",
        default="separated",
        versions={
            "separated": _version("Subfigures with the part of the caption that speaks of them.", "separated"),
            "beta": _version("Subfigures, each with the whole caption of its figure.", "beta"),
            "beta_split": _version(
                "The first release: whole captions, split into train, valid and test.", "beta_split"
            ),
        },
        notes=(
            "The rows are captions: there is no question, and the answer is the caption.",
            "separated and beta are one split, train; the publishers withdrew the files of beta_split, which are read "
            "where a copy has them. Nothing guarantees that the split keeps figures of one article together.",
            "In separated, a language model divided the captions; alignment scores are not used to leave rows out.",
            "Figures of one article are not independent; the article's number (PMC…) is taken as the case.",
            "MedVQA sets made from PubMed Central (PMC-VQA, ROCOv2) show some of the same figures.",
        ),
        citation="Lin W, Zhao Z, Zhang X, Wu C, Zhang Y, Wang Y, Xie W. PMC-CLIP: Contrastive Language-Image "
        "Pre-training using Biomedical Documents. MICCAI 2023. arXiv:2303.07240.",
        address="https://huggingface.co/datasets/axiong/pmc_oa",
        downloads=(
            Download(f"{_SOURCE}pmc_oa.jsonl", "pmc_oa.jsonl"),
            Download(f"{_SOURCE}pmc_oa_beta.jsonl", "pmc_oa_beta.jsonl"),
            Download(f"{_SOURCE}images.zip", "images", unpack=True),
        ),
        task="caption",
    )

    def load(self, folder: Path, version: str, problems: Problems) -> list[Sample]:
        """Read the captions of one version."""
        pictures = PicturesByStem(first_folder(folder, (f"images/{_PICTURES}", _PICTURES, "images")))
        known: dict[str, tuple[str, Path, str]] = {}
        samples: list[Sample] = []
        for split, file in _FILES[version].items():
            path = folder / file
            for number, (name, caption) in read_table(path, ("image", "caption"), problems):
                if not name or not caption:
                    problems.report(f"{path}, row {number}: the {'image' if not name else 'caption'} is empty.")
                    continue
                if name not in known:
                    article = _ARTICLE.match(name)
                    known[name] = (name, pictures.path(name), article[0] if article else "")
                image, image_path, case = known[name]
                samples.append(
                    Sample(
                        id=f"pmc_oa/{version}/{split}/{number}",
                        dataset=f"pmc_oa:{version}",
                        split=split,
                        image=image,
                        image_path=image_path,
                        question="",
                        answer=caption,
                        answer_type="OPEN",
                        case=case,
                        task="caption",
                        source=f"{path}, row {number}",
                    )
                )
        return samples

    def regions(self, folder: Path, image: str) -> list[Region]:
        """PMC-OA has no labelled regions."""
        return []


DATA_SET = PmcOa()
