"""What languages are called in English."""

from __future__ import annotations

LANGUAGES = {"en": "English", "zh": "Chinese", "fr": "French", "ar": "Arabic", "es": "Spanish", "hi": "Hindi"}
"""The six that evalsuite speaks, in the order in which they stand everywhere."""

UNDETERMINED = "und"
"""BCP 47's word for a language that nobody says: that of the tasks of other tools' files."""


def language_name(code: str) -> str:
    """The name of a language by its BCP-47 tag, of which the primary subtag counts; the tag itself where unknown."""
    return (LANGUAGES | {"de": "German"}).get(code.partition("-")[0], code)
