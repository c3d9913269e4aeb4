"""BioC in JSON."""

from core.formats import bioc
from core.formats.format import Format

FORMAT = Format(
    name="bioc-json",
    title="BioC JSON",
    recognises=lambda _, head: b'"documents"' in head and b'"passages"' in head,
    read=bioc.read_json,
    write=bioc.write_json,
    holds=bioc.HOLDS,
    suffix=".bioc.json",
)
