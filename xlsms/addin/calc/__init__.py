"""LibreOffice Calc as xlwings sees Excel: an engine of xlwings' own kind over UNO, and the extension that starts it.

`engine` brings xlwings along; what builds and installs the extension does not need it, so nothing is imported here.
"""
