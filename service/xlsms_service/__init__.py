"""The companion service of xlsms: it takes marked rows to a network and brings states and replies back."""
