"""The page and the service: programs and people ask models about pictures, see why, compare, and judge."""
