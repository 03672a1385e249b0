from xml.etree import ElementTree

from realtime.markup import Markup, document, svg, table, wide, words


def test_cells_are_text_unless_they_are_markup():
    found = table(("a<b", "c"), [("1 & 2", Markup("<b>3</b>"))])
    assert '<th scope="col">a&lt;b</th>' in found
    assert "<td>1 &amp; 2</td><td><b>3</b></td>" in found


def test_columns_without_a_cell_are_left_out_and_the_first_row_may_stand_out():
    found = table(("a", "b", "c"), [("1", "", "3"), ("4", "", "")], own=True)
    assert "b</th>" not in found
    assert '<tr class="own"><td>1</td><td>3</td></tr><tr><td>4</td><td></td></tr>' in found


def test_what_may_be_too_wide_scrolls_by_keyboard_too_under_its_name():
    assert wide(Markup("x"), 'a "name"') == (
        '<div class="wide" role="region" tabindex="0" aria-label="a &quot;name&quot;">x</div>'
    )
    assert wide(Markup("x"), "") == '<div class="wide">x</div>'


def test_a_drawing_says_what_it_shows():
    drawing = ElementTree.fromstring(svg(10, 20.5, words(1, 2, "<here>", "end"), name="a & b"))
    assert (drawing.get("role"), drawing.get("aria-label"), drawing.get("viewBox")) == ("img", "a & b", "0 0 10 20.5")
    assert (drawing[0].text, drawing[0].get("text-anchor")) == ("<here>", "end")


def test_a_page_is_whole_by_itself_and_escapes_its_title():
    text = document("a < b", ["<p>one</p>", "<p>two</p>"], ".mine{}")
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "<title>a &lt; b</title>" in text
    assert ".mine{}</style>" in text
    assert "<p>one</p>\n<p>two</p>" in text
