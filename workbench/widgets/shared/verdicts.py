"""A verdict as it is written everywhere on the server's side: word, sign and colour."""

from patchcore.thresholds.verdict_counts import error_of

VERDICTS: dict[str | None, str] = {
    "accept": '<span class="pc-whole pc-accept">✓ accept</span>',
    "review": '<span class="pc-whole pc-review">? review</span>',
    "reject": '<span class="pc-whole pc-reject">✕ reject</span>',
    None: "–",
}
DECISIONS: dict[str | None, str] = {"fine": "✓ fine", "defect": "✕ defect", None: ""}


def verdict_html(verdict: str | None, is_defect: bool | None = None) -> str:
    """Return a verdict; a wrong one is red and names its error, whatever its own colour.

    Parameters
    ----------
    is_defect
        The truth; None where nobody knows it.
    """
    wrong = error_of(is_defect, verdict)
    if not wrong:
        return VERDICTS[verdict]
    sign = "✓ accept" if verdict == "accept" else "✕ reject"
    return f'<span class="pc-whole pc-reject">{sign}</span> <b class="pc-whole pc-reject">{wrong}</b>'
