"""Made-up radiology: anatomy, findings and images with known truth."""
