"""A verdict as it is written everywhere on the server's side: word, sign and colour."""

VERDICTS: dict[str | None, str] = {
    "accept": '<span class="pc-whole pc-accept">✓ accept</span>',
    "review": '<span class="pc-whole pc-review">? review</span>',
    "reject": '<span class="pc-whole pc-reject">✕ reject</span>',
    None: "–",
}
DECISIONS: dict[str | None, str] = {"fine": "✓ fine", "defect": "✕ defect", None: ""}
