"""Write the parts of pages that are made from the code."""

from docs.generate.pages import DOCS, PAGES
from pipeline.core.files import atomic

if __name__ == "__main__":
    for name, rewritten in PAGES.items():
        text = rewritten((DOCS / name).read_text(encoding="utf-8"))
        with atomic(DOCS / name) as partial:
            partial.write_text(text, encoding="utf-8")
