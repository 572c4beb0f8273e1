"""Files of hospitals and scanners: DICOM and NIfTI as pictures, and how one frame, slice or window is addressed."""
