"""A user's own data: a table of questions, a folder of pictures, and a short YAML file that describes both."""
