"""From templates to the bytes of a page, in the twin's encoding, with the old site's habits in its option lists.

Invariant: everything is escaped; the long option lists are built once for each circonscription, and apart while a fault
changes them.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response
from litestar.response import Redirect
from markupsafe import Markup, escape

from registre.document import Source
from registre.twin import paths
from registre.twin.catalogue import NO_CADASTRE, RENOVATED_CADASTRE, Catalogue
from registre.twin.documents import ACTE_TYPES, SOURCE_NAMES, grouped
from registre.twin.fault_box import FaultBox
from registre.twin.layout import OptionPairs, changed_field, changed_options, changed_value

BLANK = "NULL"
BLANK_DESIGNATION = "A"
_PADDING = "\N{NO-BREAK SPACE}" * 3
_MAX_LISTS = 2000


class Pages:
    """Renders the pages; holds no state but caches."""

    def __init__(self, catalogue: Catalogue, faults: FaultBox, encoding: str) -> None:
        self._catalogue = catalogue
        self._faults = faults
        self._encoding = encoding
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(paths=paths, forms=paths.FORMS, Source=Source, source_names=SOURCE_NAMES)
        self._environment.filters.update(grouped=_grouped, typographic=typographic)
        self._lists: dict[OptionPairs, Markup] = {}

    @property
    def encoding(self) -> str:
        """Of the pages made now, and of the forms posted from them."""
        return "windows-1252" if self._faults.take("windows_1252") else self._encoding

    def text(self, template: str, **context: object) -> str:
        """The page of a template."""
        text = self._environment.get_template(template).render(context, encoding=self.encoding)
        return changed_field(text, self._faults)

    def page(self, template: str, status: int = 200, **context: object) -> Response[bytes]:
        """The page of a template, as a response."""
        encoding = self.encoding
        return Response(
            self.text(template, **context).encode(encoding, "xmlcharrefreplace"),
            status_code=status,
            media_type="text/html",
            encoding=encoding,
            headers={"cache-control": "private"},
        )

    def circonscriptions(self, selected: str) -> Markup:
        """Options of `selCircnFoncr`."""
        pairs = tuple((c.code, c.name) for c in self._catalogue.circonscriptions)
        return self._options("selCircnFoncr", BLANK, pairs, selected)

    def cadastres(self, circonscription_code: str, selected: str) -> Markup:
        """Options of `selCadst`: `000001` first, then the old cadastres of the circonscription."""
        quebec = self._faults.text("quebec_label")
        pairs = tuple(
            (c.code, quebec if quebec and c.code == RENOVATED_CADASTRE else c.name)
            for c in self._catalogue.cadastres(circonscription_code)
        )
        return self._options("selCadst", NO_CADASTRE, pairs, selected)

    def designations(self, circonscription_code: str, cadastre_code: str, selected: str) -> Markup | None:
        """Options of `selDesgnSecnd`; None when the cadastre has no désignation, and then the select is absent."""
        cadastre = self._catalogue.cadastre(circonscription_code, cadastre_code)
        if cadastre is None or not cadastre.designations:
            return None
        pairs = tuple((f"{i:02d}", d) for i, d in enumerate(cadastre.designations, 1))
        return self._options("selDesgnSecnd", BLANK_DESIGNATION, pairs, selected)

    def acte_types(self, selected: str) -> Markup:
        """Options of `selTypeDocmn`."""
        return self._options("selTypeDocmn", BLANK, tuple(ACTE_TYPES.items()), selected)

    def _options(self, select: str, blank: str, pairs: OptionPairs, selected: str) -> Markup:
        pairs = changed_options(select, pairs, self._faults)
        if pairs not in self._lists:
            if len(self._lists) > _MAX_LISTS:
                self._lists.clear()
            options = [f'<option value="{blank}">   </option>']
            for i, (value, name) in enumerate(pairs):
                label = escape(typographic(name)) + (_PADDING if i % 3 == 2 else "")
                options.append(f'<option value="{escape(value)}">{label}</option>')
            self._lists[pairs] = Markup("\n".join(options))  # noqa: S704 (each part is escaped above)
        marked = f'<option value="{escape(changed_value(select, selected, self._faults))}"'
        return Markup(str(self._lists[pairs]).replace(marked, marked + " selected", 1))  # noqa: S704


def redirect(path: str) -> Redirect:
    """302, as an old site answers."""
    return Redirect(path, status_code=302)


def typographic(text: str) -> str:
    return text.replace("'", "’")


def _grouped(number: str) -> str:
    return grouped(number).replace(" ", "\N{NO-BREAK SPACE}")
