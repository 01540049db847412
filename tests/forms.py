"""Forms of a page, as a browser reads them."""

import html
import re


def hidden_field(page: str, name: str, within: str = "") -> str:
    """Value of a hidden field, of the form whose address ends with `within`; of the page where there is none."""
    forms = re.findall(r"<form.*?</form>", page, re.DOTALL)
    form = next((found for found in forms if within and re.search(rf'action="[^"]*{within}"', found)), page)
    found = re.search(rf'name="{name}" value="([^"]*)"', form)
    assert found, f"no field {name}"
    return html.unescape(found[1])
