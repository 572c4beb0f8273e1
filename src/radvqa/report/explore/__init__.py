"""Showing what ``radvqa data explore`` counted: tables for the terminal, and a page with figures."""
