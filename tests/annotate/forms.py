"""Forms in a page, as a browser without scripts sees them."""

from __future__ import annotations

from html.parser import HTMLParser


class Forms(HTMLParser):
    """Forms of a page: where they go, the fields that are filled in, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.actions: list[str] = []
        self.fields: list[dict[str, str]] = []
        self.options: list[dict[str, list[str]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.actions.append(given["action"])
            self.fields.append({})
            self.options.append({})
        elif tag == "input" and given["type"] == "radio":
            self.options[-1].setdefault(given["name"], []).append(given["value"])
            if "checked" in given:
                self.fields[-1][given["name"]] = given["value"]
        elif tag == "input":
            self.fields[-1][given["name"]] = given["value"]

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, action: str) -> dict[str, str]:
        """The fields of the form that goes to where `action` begins."""
        (found,) = [fields for to, fields in zip(self.actions, self.fields, strict=True) if to.startswith(action)]
        return found

    def goes_to(self, action: str) -> str:
        (found,) = [to for to in self.actions if to.startswith(action)]
        return found
