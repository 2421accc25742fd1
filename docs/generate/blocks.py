"""The part of a page that is written by a program, between two comments; the text around it is written by hand."""

import re


def with_block(text: str, name: str, content: str) -> str:
    """A page with other content between ``<!-- NAME -->`` and ``<!-- end of NAME -->``.

    Raises:
        ValueError: it does not have these comments once.
    """
    block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    if len(block.findall(text)) != 1:
        raise ValueError(f"expected '<!-- {name} -->' and '<!-- end of {name} -->' once in the page")
    return block.sub(lambda found: f"{found[1]}\n{content.strip()}\n\n{found[2]}", text)
