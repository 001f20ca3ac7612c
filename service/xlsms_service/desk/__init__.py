"""Taking workbooks in and writing them back, here or in a process of its own."""
