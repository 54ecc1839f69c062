"""A large CSV file from a small real one: its rows again and again, each copy's texts made different from the others'."""
import csv
import io


def cell(text):
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in '",\r\n') else text


def grow_csv(source, target, size_bytes, id_column=None, texts=(), encoding="utf-8"):
    """Writes rows of source to target until it has size_bytes; returns the number of rows.

    The first copy is the file itself. In later copies the cells of the columns texts get a word of their own, and
    id_column goes on counting. Queries (columns not in texts) stay as they are: real logs repeat them.
    """
    with open(source, newline="", encoding=encoding) as f:
        reader = csv.reader(f)
        header = next(reader)
        rows = list(reader)
    marked = [header.index(name) for name in texts]
    ident = header.index(id_column) if id_column else None
    # Each row as pieces of bytes between the places that change: the cheapest way to write gigabytes from Python.
    pieces = []
    for row in rows:
        parts, line = [], io.StringIO()
        for i, value in enumerate(row):
            line.write("," if i else "")
            if i == ident:
                parts += [line.getvalue().encode(), "id"]
                line = io.StringIO()
            elif i in marked:
                quoted = '"' + value.replace('"', '""')
                line.write(quoted)
                parts += [line.getvalue().encode(), "mark"]
                line = io.StringIO()
                line.write('"')
            else:
                line.write(cell(value))
        parts.append(line.getvalue().encode() + b"\n")
        pieces.append(parts)
    written = count = copy = 0
    with open(target, "wb") as f:
        written += f.write((",".join(map(cell, header)) + "\n").encode())
        while copy == 0 or written < size_bytes:
            block = []
            for number, parts in enumerate(pieces):
                mark = b" lot%dx%d" % (copy, number % 97) if copy else b""
                for part in parts:
                    block.append(part if isinstance(part, bytes) else mark if part == "mark" else b"%d" % (count + 1))
                count += 1
            written += f.write(b"".join(block))
            copy += 1
    return count
