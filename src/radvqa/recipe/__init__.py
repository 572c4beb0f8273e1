"""The recipe: one YAML page that says which data, which model and how to train; validated before anything starts."""

from radvqa.recipe.data import ChoiceSection, DataSection, SourceSection
from radvqa.recipe.learning import LearningSection, TrainingSection
from radvqa.recipe.page import ModelSection, Recipe
from radvqa.recipe.reading import find_recipe, load_recipe, names_of_recipes, parse_recipe, shipped_recipes
from radvqa.recipe.section import Section, explain
from radvqa.recipe.stages import AnnealSection, CarrySection, StageSection

__all__ = [
    "AnnealSection",
    "CarrySection",
    "ChoiceSection",
    "DataSection",
    "LearningSection",
    "ModelSection",
    "Recipe",
    "Section",
    "SourceSection",
    "StageSection",
    "TrainingSection",
    "explain",
    "find_recipe",
    "load_recipe",
    "names_of_recipes",
    "parse_recipe",
    "shipped_recipes",
]
