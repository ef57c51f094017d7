"""The README's boards: MusiCNN next to the papers' systems, on the same songs and folds, with the differences."""

from common.report import markdown_table
from common.verdict.recorded import Records
from reproductions.leaderboard.boards import open_board, recorded
from reproductions.leaderboard.entries import references, table


def generated(records: Records) -> dict[str, str]:
    """A board for each data set that a record is of, under one mark.

    Parameters
    ----------
    records : Records

    Returns
    -------
    dict of str to str
        Markdown by the mark in the README, `boards`.
    """
    boards = [open_board(name, results=records.results) for name in recorded(records.results)]
    shown = [(board, references(board, records.results)) for board in boards]
    tables = [table(board, own, markdown_table) for board, own in shown if own]
    return {"boards": "\n\n".join(tables) or "Nothing is recorded yet."}
