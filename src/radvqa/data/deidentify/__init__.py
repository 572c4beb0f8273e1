"""DICOM files without what names a patient: the basic profile of PS3.15, and nothing copied that it does not know."""
