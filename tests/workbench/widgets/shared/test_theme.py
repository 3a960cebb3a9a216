from workbench.widgets.shared import theme


def test_a_table_marks_headings_figures_and_the_chosen_row():
    html = theme.table_html([("a", "1"), ("b", "2")], ("", "count"), right=(1,), named=True, chosen=1)
    assert html == (
        '<table class="pc-table pc-num"><thead><tr><th scope="col"></th><th scope="col" class="r">count</th></tr>'
        '</thead><tbody><tr><th scope="row">a</th><td class="r">1</td></tr>'
        '<tr class="pc-chosen"><th scope="row">b</th><td class="r">2</td></tr></tbody></table>'
    )


def test_a_table_without_headings_has_cells_alone():
    assert theme.table_html([("a",)], look="") == (
        '<table class="pc-table "><tbody><tr><td>a</td></tr></tbody></table>'
    )


def test_a_meaning_is_escaped_and_a_name_without_one_stays_bare():
    assert theme.meaning_html("AUROC", 'of "defects"') == (
        '<span class=pc-help title="of &quot;defects&quot;">AUROC</span>'
    )
    assert theme.meaning_html("AUROC", "") == "AUROC"
