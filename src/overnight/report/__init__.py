"""report.html from given values: no ledger, no network, no clock (dates come in). One file, no outside links."""

from overnight.report.data import ReportData
from overnight.report.render import render_report

__all__ = ["ReportData", "render_report"]
