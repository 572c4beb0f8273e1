"""Made-up DICOM and NIfTI files of known content."""

import io
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

PATIENT = "Lovelace^Augusta"
NUMBER = "MRN-18151210"


def packaged(name: str) -> Path:
    """A test file that the pydicom package holds."""
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str), f"pydicom does not hold {name}"
    return Path(path)


def dicom(pixels: NDArray[Any], *, syntax: str = ExplicitVRLittleEndian, **attributes: Any) -> bytes:
    """A DICOM file of grey values, ``(rows, columns)`` or ``(frames, rows, columns)``, or RGB ``(rows, columns, 3)``.

    Attributes override what follows from the values; a whole data element says its VR itself.
    """
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.PatientName, dataset.PatientID, dataset.Modality = PATIENT, NUMBER, "CT"
    colour = pixels.ndim == 3 and pixels.shape[-1] == 3 and attributes.get("PhotometricInterpretation") == "RGB"
    frames = pixels.shape[0] if pixels.ndim == 3 and not colour else None
    dataset.Rows, dataset.Columns = pixels.shape[:2] if frames is None else pixels.shape[1:]
    if frames is not None:
        dataset.NumberOfFrames = frames
    dataset.SamplesPerPixel = 3 if colour else 1
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.itemsize
    dataset.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    for keyword, value in attributes.items():
        if isinstance(value, DataElement):
            dataset.add(value)
        else:
            setattr(dataset, keyword, value)
    dataset.HighBit = dataset.BitsStored - 1
    content = pixels.tobytes()
    dataset.PixelData = content + bytes(len(content) % 2)
    dataset["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def item(**attributes: Any) -> Dataset:
    """One item of a sequence."""
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def nifti(values: NDArray[Any], affine: NDArray[np.float64] | None = None, kind: Any = nibabel.Nifti1Image) -> bytes:
    """A NIfTI file; the affine says where in the patient (right, front, up) a voxel lies, in millimetres."""
    content: bytes = kind(values, np.eye(4) if affine is None else affine).to_bytes()
    return content
