"""Names in programs and words in sentences, made comparable."""

import re
from typing import Final

_ENDINGS: Final = ("ing", "ed", "es", "s")


def words_of_name(name: str) -> str:
    """A program's name as words: `getWeather_now` is "get weather now"."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return " ".join(re.findall(r"[^\W_]+", spaced)).lower()


def stem(word: str) -> str:
    """A word without the usual English endings, so that "lights" asks for a light and "raining" for rain."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word.removesuffix("e") if len(word) > 3 else word
