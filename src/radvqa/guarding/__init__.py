"""Guarding: who may ask a server of ours what, before any of its own code runs. Plain ASGI; needs no library."""
