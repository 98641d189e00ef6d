"""A list in the terminal: a table where it fits, and one block for each row where it would cut words in two."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_WIDE: Final = 10_000
_ID: Final = re.compile("[a-z]{3}_[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Rows under `columns`. An id is never cut in two, for people copy it."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Text]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = self._table()
        # What is measured within the width never says that it is wider.
        wanted = Measurement.get(console, options.update(max_width=_WIDE), table).minimum
        if wanted <= options.max_width:
            yield table
        else:
            yield from self._blocks()

    def _table(self) -> Table:
        drawn = Table(box=None, pad_edge=False, header_style="bold")
        for place, column in enumerate(self.columns):
            is_id = any(_ID.fullmatch(row[place].plain) for row in self.rows)
            drawn.add_column(column, overflow="fold", no_wrap=is_id)
        for row in self.rows:
            drawn.add_row(*row)
        return drawn

    def _blocks(self) -> Iterator[Table | Text]:
        for number, row in enumerate(self.rows):
            if number:
                yield Text()
            drawn = Table(box=None, pad_edge=False, show_header=False)
            drawn.add_column(style="bold", no_wrap=True)
            drawn.add_column(overflow="fold")
            for column, cell in zip(self.columns, row, strict=True):
                if cell.plain:
                    drawn.add_row(column, cell)
            yield drawn
