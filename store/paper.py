"""Printed sheets in the house's style: A4 pages in its two typefaces, the same bytes for the same content."""

import atexit
import io
import shutil
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

import fontpkg
import resvg_py
import segno
from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer
from fpdf import FPDF
from fpdf.enums import MethodReturnValue, WrapMode, XPos, YPos
from PIL import Image

from store.settings import house

Colour = tuple[int, int, int]
INK: Colour = (27, 25, 22)
STONE: Colour = (101, 94, 83)
LINE: Colour = (221, 214, 201)
BRONZE: Colour = (122, 85, 39)
PAPER: Colour = (248, 246, 241)

SANS, BOLD, SERIF = "sans", "sans-bold", "serif"
# Each face is one weight of a variable font, with figures of one width (columns of money) or of one height (titles).
FACES = {SANS: ("Jost", 400, "tnum"), BOLD: ("Jost", 550, "tnum"), SERIF: ("Cormorant Garamond", 550, "lnum")}
# Latin with everything that European names need, Greek, Cyrillic, punctuation, currencies, fractions, arrows, signs.
LETTERS = (*range(0x20, 0x530), *range(0x1E00, 0x1F00), *range(0x2000, 0x2070), *range(0x20A0, 0x2300))

LEFT, TOP, RIGHT, BOTTOM = 22.0, 20.0, 188.0, 266.0  # mm: between these lies what is set
WIDTH = RIGHT - LEFT
PIXELS = 1400  # the longer side of a picture


# -- typefaces -------------------------------------------------------------------------------------------------------

_making = threading.Lock()
_faces: dict[str, Path] = {}


def _face_files() -> dict[str, Path]:
    """The cuts of the house's typefaces, made once a process: cutting them from the variable fonts takes a second."""
    with _making:
        if not _faces:
            folder = Path(tempfile.mkdtemp(prefix="atelier-faces-"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            _faces.update({name: _cut(folder / f"{name}.ttf", *face) for name, face in FACES.items()})
    return _faces


def _cut(file: Path, family: str, weight: int, figures: str) -> Path:
    font = TTFont(fontpkg.path(family))
    options = subset.Options()
    options.layout_features = [figures]
    options.notdef_outline = True
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=LETTERS)
    cutter.subset(font)
    _use_figures(font, figures)
    instancer.instantiateVariableFont(font, {"wght": weight}, inplace=True)
    font.save(file)
    return file


def _use_figures(font: TTFont, feature: str) -> None:
    """Let the digits be those of an OpenType feature, which is not applied without a shaping engine."""
    table = font["GSUB"].table
    lookups = {
        index for record in table.FeatureList.FeatureRecord if record.FeatureTag == feature
        for index in record.Feature.LookupListIndex
    }  # fmt: skip
    others: dict[str, str] = {}
    for index in lookups:
        for entry in table.LookupList.Lookup[index].SubTable:
            others |= getattr(getattr(entry, "ExtSubTable", entry), "mapping", {})
    for cmap in font["cmap"].tables:
        if cmap.isUnicode():
            cmap.cmap.update({code: others.get(cmap.cmap[code], cmap.cmap[code]) for code in range(0x30, 0x3A)})


# -- sheets ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Style:
    """How a piece of text is set; `leading` is the height of a line in mm."""

    face: str = SANS
    size: float = 9.5
    colour: Colour = INK
    leading: float = 4.7


TEXT = Style()
STRONG = Style(BOLD)
SMALL = Style(size=8.2, colour=STONE, leading=4.1)
LABEL = Style(size=7.2, colour=STONE, leading=4.6)
TITLE = Style(SERIF, 25, INK, 11)
HEADING = Style(SERIF, 14.5, INK, 7)
AMOUNT = Style(SERIF, 17, BRONZE, 9)


@dataclass(frozen=True)
class Column:
    """A column of a table: where it begins, how wide it is (mm), and whether it is set to the right."""

    x: float
    width: float
    right: bool = False


class Sheet(FPDF):
    """A printed sheet that is written from top to bottom; what does not fit goes on, on the next page."""

    def __init__(self, title: str, made_on: date, imprint: Sequence[str]) -> None:
        """An empty sheet.

        Args:
            title: what it is, as every page repeats at its foot.
            made_on: the day that the file carries; never the moment of printing.
            imprint: lines at the foot of every page.
        """
        super().__init__(format="A4")
        self._title, self._imprint = title, tuple(imprint)
        for name, file in _face_files().items():
            self.add_font(name, "", file)
        self.set_margins(LEFT, TOP, 210 - RIGHT)
        self.set_auto_page_break(False)
        self.alias_nb_pages("{pages}")
        self.set_creation_date(datetime.combine(made_on, time(12), UTC))
        self.set_title(title)
        self.set_author(house().name)
        self.set_lang("en")
        self.add_page()
        self.set_y(TOP)

    def header(self) -> None:
        """The house's name on every page, large on the first."""
        first = self.page == 1
        self.put(house().name, LEFT, 13 if first else 11, Style(SERIF, 20 if first else 12, INK, 8))
        if first:
            self.put(house().motto, LEFT, 21.5, SMALL)
            self.rule(28.5)
            self.set_y(36)
        else:
            self.rule(19)
            self.set_y(25)

    def footer(self) -> None:
        """Who issues it, and which page this is."""
        self.rule(BOTTOM + 7)
        for row, line in enumerate(self._imprint):
            self.put(line, LEFT, BOTTOM + 9 + row * 3.7, Style(SANS, 7, STONE, 3.7))
        here = f"{self._title} · {self.page} / {{pages}}"
        place = Style(SANS, 7, STONE, 3.7)
        self._use(place)
        wider = self.get_string_width("{pages}") - self.get_string_width("0")  # only in the end is it a number
        self.put(here, RIGHT - 70, BOTTOM + 9, place, width=70 + wider, right=True)

    # -- placing

    def put(
        self, text: str, x: float, y: float, style: Style = TEXT, *, width: float = WIDTH, right: bool = False
    ) -> float:
        """Set a text into a column at a place; returns where it ends below."""
        self._use(style)
        self.set_xy(x, y)
        self.multi_cell(
            width,
            style.leading,
            text,
            align="R" if right else "L",
            padding=0,
            new_x=XPos.LEFT,
            new_y=YPos.NEXT,
            wrapmode=WrapMode.WORD,
        )
        return self.get_y()

    def height(self, text: str, width: float, style: Style) -> float:
        """How high a text becomes in a column."""
        if not text:
            return 0.0
        self._use(style)
        lines = self.multi_cell(
            width, style.leading, text, align="L", dry_run=True, output=MethodReturnValue.LINES, wrapmode=WrapMode.WORD
        )
        return style.leading * len(lines if isinstance(lines, list) else [])

    def _use(self, style: Style) -> None:
        self.set_font(style.face, "", style.size)
        self.set_text_color(*style.colour)
        self.c_margin = 0

    def rule(self, y: float, x: float = LEFT, to: float = RIGHT, colour: Colour = LINE) -> None:
        """A hairline."""
        self.set_draw_color(*colour)
        self.set_line_width(0.18)
        self.line(x, y, to, y)

    def room(self, needed: float) -> bool:
        """Begin a new page unless so much room is left on this one; whether it did."""
        if self.get_y() + needed <= BOTTOM:
            return False
        self.add_page()
        return True

    def gap(self, by: float) -> None:
        """Leave room."""
        self.set_y(self.get_y() + by)

    # -- parts of a sheet

    def paragraph(self, text: str, style: Style = TEXT) -> None:
        """A text over the whole width."""
        for part in text.split("\n"):
            self.room(min(self.height(part, WIDTH, style), 60))
            self.put(part, LEFT, self.get_y(), style)

    def heading(self, text: str, keep: float = 24) -> None:
        """A heading that does not stay behind alone at the end of a page."""
        self.room(keep)
        self.gap(3)
        self.put(text, LEFT, self.get_y(), HEADING)
        self.gap(1)

    def block(self, x: float, y: float, width: float, label: str, lines: Sequence[str]) -> float:
        """A small label with lines under it; returns where it ends below."""
        y = self.put(label.upper(), x, y, LABEL, width=width)
        for index, line in enumerate(lines):
            y = self.put(line, x, y, STRONG if index == 0 else TEXT, width=width)
        return y

    def facts(
        self,
        rows: Sequence[tuple[str, str]],
        x: float = LEFT,
        width: float = WIDTH,
        *,
        names: float = 0.36,
        abreast: int = 1,
    ) -> None:
        """Names and what they are, one below the other.

        Args:
            names: which part of the width the names take.
            abreast: how many stand side by side.
        """
        each = (width - 6 * (abreast - 1)) / abreast
        wide = each * names
        for begin in range(0, len(rows), abreast):
            side_by_side = rows[begin : begin + abreast]
            high = max(
                max(self.height(name, wide - 2, SMALL), self.height(value, each - wide, TEXT))
                for name, value in side_by_side
            )
            self.room(high)
            y = self.get_y()
            for place, (name, value) in enumerate(side_by_side):
                left = x + place * (each + 6)
                self.put(name, left, y + 0.35, SMALL, width=wide - 2)
                self.put(value, left + wide, y, TEXT, width=each - wide)
            self.set_y(y + high + 0.5)

    def row(self, columns: Sequence[Column], cells: Sequence[str], style: Style = TEXT, *, after: float = 1.2) -> None:
        """One row of a table; it is never torn apart by the end of a page."""
        heights = [self.height(cell, one.width, style) for one, cell in zip(columns, cells, strict=True)]
        self.room(max(heights))
        y = self.get_y()
        for one, cell in zip(columns, cells, strict=True):
            if cell:
                self.put(cell, one.x, y, style, width=one.width, right=one.right)
        self.set_y(y + max(heights) + after)

    def line_below(self) -> None:
        """A hairline under what was set last."""
        self.rule(self.get_y())
        self.gap(1.8)

    def code_square(self, text: str, x: float, y: float, size: float) -> None:
        """A QR code."""
        matrix = [list(row) for row in segno.make(text, error="m").matrix_iter(border=0)]
        step = size / len(matrix)
        self.set_fill_color(*INK)
        for line, row in enumerate(matrix):
            begin = None
            for place, dark in enumerate([*row, 0]):
                if dark and begin is None:
                    begin = place
                elif not dark and begin is not None:
                    self.rect(x + begin * step, y + line * step, (place - begin) * step, step, style="F")
                    begin = None

    def picture(self, layers: Sequence[Path], x: float, y: float, width: float, height: float, words: str) -> None:
        """A picture of transparent layers, the lowest first, within a frame; `words` say what it shows."""
        self.set_fill_color(*PAPER)
        self.rect(x, y, width, height, style="F")
        self.image(_flattened(layers), x, y, width, height, keep_aspect_ratio=True, alt_text=words)

    def made(self) -> bytes:
        """The finished file."""
        return bytes(self.output() or b"")


def _flattened(layers: Sequence[Path]) -> io.BytesIO:
    """Layers laid upon each other on the sheet's ground."""
    drawn = [_drawn(layer) for layer in layers]
    whole = Image.new("RGBA", drawn[0].size, (*PAPER, 255))
    for layer in drawn:
        whole.alpha_composite(layer if layer.size == whole.size else layer.resize(whole.size))
    whole.thumbnail((PIXELS, PIXELS))
    kept = io.BytesIO()
    whole.convert("RGB").save(kept, "JPEG", quality=88)
    return kept


def _drawn(layer: Path) -> Image.Image:
    """One layer in pixels; drawings are set in the house's typefaces, whatever the machine has."""
    if layer.suffix != ".svg":
        with Image.open(layer) as sheet:
            return sheet.convert("RGBA")
    faces = [str(fontpkg.path(family)) for family in sorted({face[0] for face in FACES.values()})]
    pixels = resvg_py.svg_to_bytes(svg_path=str(layer), width=PIXELS, skip_system_fonts=True, font_files=faces)
    with Image.open(io.BytesIO(pixels)) as sheet:
        return sheet.convert("RGBA")
