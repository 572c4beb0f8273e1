"""People judge pairs: a queue on disk, a page in the browser, and how far two reviewers agree."""
