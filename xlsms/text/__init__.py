"""What a text costs and how it is cut; what it is made of."""

from xlsms.text.gsm7 import decode, encode, fill_bits, is_gsm7, pack, septets, unpack
from xlsms.text.split import Parts, split
from xlsms.text.template import Field, Template
from xlsms.text.transliterate import Change, Transliteration, transliterate
from xlsms.text.udh import read_udh, udh

__all__ = [
    "Change",
    "Field",
    "Parts",
    "Template",
    "Transliteration",
    "decode",
    "encode",
    "fill_bits",
    "is_gsm7",
    "pack",
    "read_udh",
    "septets",
    "split",
    "transliterate",
    "udh",
    "unpack",
]
