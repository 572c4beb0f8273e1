"""Further training of the published parts on radiology, before any question is asked: what comes out is a checkpoint.

Gururangan et al., "Don't stop pretraining", ACL 2020, for language; the vision side learns from classes and captions.
"""
