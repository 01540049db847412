"""Other people's tables in and out: open data of municipalities, HSDS, Excel. Pure: bytes in, values out; the folder is written by `bot`."""
