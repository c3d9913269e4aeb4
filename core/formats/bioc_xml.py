"""BioC in XML."""

from core.formats import bioc
from core.formats.format import Format

FORMAT = Format(
    name="bioc-xml",
    title="BioC XML",
    recognises=lambda _, head: b"<collection" in head,
    read=bioc.read_xml,
    write=bioc.write_xml,
    holds=bioc.HOLDS,
    suffix=".bioc.xml",
)
