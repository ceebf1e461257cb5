"""Draws the PNGs of web/static from icon.svg, which Chromium wants of an application: `make icons`."""

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import CHROMIUM

STATIC = Path(__file__).parents[2] / "web" / "static"
SIZES = {"icon-192.png": 192, "icon-512.png": 512, "icon-maskable-512.png": 512}


def main() -> None:
    """One after the other; a maskable one goes to the edge, its drawing lies within the safe circle anyway."""
    drawing = (STATIC / "icon.svg").read_text()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM)
        for name, size in SIZES.items():
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(f"<style>body{{margin:0}}svg{{display:block;width:{size}px}}</style>{drawing}")
            if "maskable" in name:
                page.evaluate("document.getElementById('ground').setAttribute('rx', 0)")
            page.screenshot(path=STATIC / name, omit_background=True)
        browser.close()


if __name__ == "__main__":
    main()
