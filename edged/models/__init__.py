"""Which model files there are, from where they come, and whether they are the right ones."""

from edged.models.catalogue import Model, get_model, list_models, speech_model_name
from edged.models.fetch import fetch_model
from edged.models.find import Verification, find_model, verify_model
from edged.models.language import Training, find_configured_model, find_language_model, find_training

__all__ = [
    "Model",
    "Training",
    "Verification",
    "fetch_model",
    "find_configured_model",
    "find_language_model",
    "find_model",
    "find_training",
    "get_model",
    "list_models",
    "speech_model_name",
    "verify_model",
]
