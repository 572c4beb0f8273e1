"""The libraries that read files of hospitals, imported before the first file asks for them."""

from contextlib import suppress


def warm() -> None:
    """Import those that are installed."""
    with suppress(ImportError):
        import pydicom.pixels

        _ = pydicom
    with suppress(ImportError):
        import nibabel

        _ = nibabel
