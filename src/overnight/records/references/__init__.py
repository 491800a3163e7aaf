"""Bibliographic formats: one file a format, bytes in, references out, streamed. `FORMATS` is asked in order."""

from typing import Final

from overnight.records.references.bibtex import BIBTEX
from overnight.records.references.endnote_tagged import ENDNOTE_TAGGED
from overnight.records.references.endnote_xml import ENDNOTE_XML
from overnight.records.references.format import Format
from overnight.records.references.medline import MEDLINE
from overnight.records.references.pubmed_xml import PUBMED_XML
from overnight.records.references.ris import RIS
from overnight.records.references.wos import WOS

FORMATS: Final[tuple[Format, ...]] = (WOS, RIS, MEDLINE, PUBMED_XML, ENDNOTE_XML, ENDNOTE_TAGGED, BIBTEX)
NAMES: Final = frozenset(format_.name for format_ in FORMATS)
"""What `Table.format` and `Record.format` say of them."""
