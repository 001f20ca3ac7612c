"""xlsms: two-way SMS from the workbook; this package is what stands beside the spreadsheet."""

__all__ = ["__version__"]

__version__ = "0.1.0"
