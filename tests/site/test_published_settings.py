"""What the page shows of settings: nothing below the name of a secret, and ordinary numbers and names."""

from pipeline.core.secrets import HIDDEN
from pipeline.site.published_settings import published_arguments, published_settings


def test_nothing_below_the_name_of_a_secret_is_shown() -> None:
    """Lists and mappings below such a name are hidden whole, numbers and names that are else shown among them."""
    secret = {"credentials": {"dataset": "CIFAR10", "other": [{"split": "train"}], "pin": 1234}, "tokens": ["a"]}
    assert published_arguments(secret) == {
        "credentials": {"dataset": HIDDEN, "other": [{"split": HIDDEN}], "pin": HIDDEN},
        "tokens": [HIDDEN],
    }
    assert published_settings({"images": secret})["images"] == published_arguments(secret)


def test_ordinary_arguments_are_shown() -> None:
    """The same values below ordinary names are shown."""
    plain = {"options": {"dataset": "CIFAR10", "other": [{"split": "train"}], "pin": 1234}, "sizes": [123456]}
    assert published_arguments(plain) == plain
